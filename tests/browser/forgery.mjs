// A page of another site, opened by somebody who is signed in here, changes nothing; neither do old tokens.

import { createServer } from 'node:http';
import { check, request, run, same, until, url } from './browser.mjs';

const form = (path, fields) => `<form method="post" action="${url}${path}">${Object.entries(fields)
  .map(([name, value]) => `<input name="${name}" value="${value}">`).join('')}<button id="go">go</button></form>`;

/** The other site: what it says depends on the path. */
function evil(token) {
  const pages = {
    '/form': form('/actions', { do: 'stop:*', confirmed: '1', token }),
    '/old-form': form('/index.html', { action: 'stopall' }),
    '/login': form('/login', { username: 'admin', password: 'secret', next: '/' }),
    '/link': `<a id="go" href="${url}/index.html?action=stopall">go</a>`,
    '/image': `<img src="${url}/index.html?action=stop&processname=gateway"><img src="${url}/?action=stopall">`,
    '/frame': `<iframe src="${url}/"></iframe>`,
    '/script': `<script>
      const send = (path, options) => fetch('${url}' + path, { method: 'POST', mode: 'no-cors', credentials: 'include', ...options }).catch(() => 0);
      Promise.all([
        send('/RPC2', { body: '<methodCall><methodName>supervisor.stopAllProcesses</methodName></methodCall>' }),
        send('/api/v1/actions', { body: '{"action":"stop","targets":["*"]}' }),
        send('/actions', { body: new URLSearchParams({ do: 'stop:*', confirmed: '1', token: '${token}' }) }),
      ]).then(() => { document.title = 'sent'; });
    </script>`,
  };
  return createServer((asked, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<!DOCTYPE html><title>evil</title>${pages[asked.url] ?? ''}`);
  });
}

await run(async ({ browser }) => {
  // Browsers send a password with whatever any page asks for, so that is how the victim is signed in.
  const context = await browser.newContext({ httpCredentials: { username: 'admin', password: 'secret' } });
  const page = await context.newPage();
  await page.goto(`${url}/basic`);
  await page.goto(url);
  const token = await page.locator('body').getAttribute('data-token');
  check(token.length === 32, `a token: ${token}`);
  const server = evil(token);
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  // Another name of this machine is another site.
  const elsewhere = `http://localhost:${server.address().port}`;

  const states = async () => (await (await context.request.get(`${url}/api/v1/programs`)).json()).programs
    .map((program) => [program.name, program.state, program.pid]);
  const before = await states();
  for (const path of ['/form', '/old-form', '/link']) {
    await page.goto(elsewhere + path);
    const [response] = await Promise.all([page.waitForResponse((one) => one.url().startsWith(url)), page.locator('#go').click()]);
    same(response.status(), 403, `${path} of another site`);
  }
  await page.goto(`${elsewhere}/login`);
  const [login] = await Promise.all([page.waitForResponse((one) => one.url().startsWith(url)), page.locator('#go').click()]);
  same(login.status(), 403, 'signing in from another site');
  await page.goto(`${elsewhere}/image`, { waitUntil: 'load' });
  await page.goto(`${elsewhere}/script`);
  await until(page, () => document.title === 'sent');
  await page.goto(`${elsewhere}/frame`);
  const framed = page.frames().find((frame) => frame !== page.mainFrame());
  check(!framed || !(await framed.content()).includes('data-token'), 'the console is not framed');
  same(await states(), before, 'nothing has changed');

  // A token is good for one session only, and not after it.
  const post = (fields, headers) => context.request.post(`${url}/actions`, { form: fields, headers: { Origin: url, ...headers }, maxRedirects: 0 });
  const other = await browser.newContext({ httpCredentials: { username: 'admin', password: 'secret' } });
  const otherPage = await other.newPage();
  await otherPage.goto(url);
  const foreign = await otherPage.locator('body').getAttribute('data-token');
  same((await post({ do: 'stop:*', confirmed: '1', token: foreign })).status(), 403, 'a token of somebody else');
  same((await post({ do: 'stop:*', confirmed: '1' })).status(), 403, 'no token');
  same((await post({ do: 'stop:*', confirmed: '1', token: '' })).status(), 403, 'an empty token');
  const bare = await request.newContext({ extraHTTPHeaders: { Authorization: `Basic ${btoa('admin:secret')}`, Origin: url } });
  same((await bare.post(`${url}/actions`, { form: { do: 'stop:*', confirmed: '1', token } })).status(), 403, 'a token without its session');
  await bare.dispose();
  same(await states(), before, 'nothing has changed');
  server.closeAllConnections();
  server.close();
});
