// Signing in, what a role may do, signing out, and being signed out.

import { check, request, run, same, until, url } from './browser.mjs';

const refused = [/status of 40[13]/, /net::ERR_/];

await run(async ({ visit }) => {
  const page = await visit({}, refused);
  await page.goto(`${url}/program?name=gateway`);
  await page.locator('input[name=username]').fill('admin');
  await page.locator('input[name=password]').fill('wrong');
  await page.locator('button.primary').click();
  await page.getByRole('alert').waitFor();
  await page.locator('input[name=username]').fill('admin');
  await page.locator('input[name=password]').fill('secret');
  await page.locator('button.primary').click();
  await page.getByRole('heading', { name: 'gateway' }).waitFor();
  check(page.url() === `${url}/program?name=gateway`, `back to where it was asked for: ${page.url()}`);
  check(await page.evaluate(() => document.cookie) === '', 'scripts do not see the cookie');

  const cookies = await page.context().cookies();
  const session = cookies.find((cookie) => cookie.name.startsWith('console_'));
  check(session.httpOnly && session.sameSite === 'Strict', 'the cookie is guarded');
  const token = await page.locator('body').getAttribute('data-token');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
  const old = await request.newContext({ extraHTTPHeaders: { Cookie: `${session.name}=${session.value}`, Origin: url } });
  same((await old.get(`${url}/api/v1/programs`)).status(), 401, 'the old session lets nobody in');
  same((await old.post(`${url}/actions`, { form: { do: 'stop:*', confirmed: '1', token } })).status(), 401, 'nor does its token');
  await old.dispose();

  // Who may only look.
  await page.goto(url);
  await page.locator('input[name=username]').fill('auditor');
  await page.locator('input[name=password]').fill('look');
  await page.locator('button.primary').click();
  await page.locator('tr[data-n=gateway]').waitFor();
  same(await page.locator('main button[name=do]').count(), 0, 'no buttons');
  const own = await page.locator('body').getAttribute('data-token');
  const status = await page.evaluate(async (token) => (await fetch('/api/v1/actions', {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Console-Token': token }, body: '{"action":"stop","targets":["*"]}',
  })).status, own);
  same(status, 403, 'what a role does not allow');

  // After a while without doing anything the page itself goes to the door.
  await page.locator('#link:not(.lost)').waitFor();
  await until(page, () => location.pathname === '/login');
  await page.getByText('You were signed out because nothing was done for a while.').waitFor();
});
