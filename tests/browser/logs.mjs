// A log: its end at once, colours, encodings, following, pausing, going back through rotated files, searching.

import { existsSync } from 'node:fs';
import { check, folder, request, run, same, until, url } from './browser.mjs';

await run(async ({ visit }) => {
  const script = await request.newContext();
  const write = async (text) => {
    const body = `<methodCall><methodName>supervisor.sendProcessStdin</methodName><params><param><value>chatty</value></param><param><value>${text}\n</value></param></params></methodCall>`;
    const answer = await (await script.post(`${url}/RPC2`, { data: body, headers: { 'Content-Type': 'text/xml' } })).text();
    check(answer.includes('<boolean>1</boolean>'), answer);
  };
  const page = await visit();
  await page.goto(`${url}/log?name=chatty`);
  await page.locator('#log .a31.a1, #log .a1.a31').waitFor();
  same(await page.locator('#log .a31').innerText(), 'red alert', 'what is red');
  const text = () => page.locator('#log').innerText();
  check((await text()).includes('支付失败 in GBK') && (await text()).includes('支付成功 in UTF-8'), 'both encodings are read');
  check((await text()).includes('<script>alert(1)</script>'), 'markup is text');
  const isAtEnd = () => page.evaluate(() => { const log = document.getElementById('log'); return log.scrollHeight - log.scrollTop - log.clientHeight < 40; });
  check(await isAtEnd(), 'the end is shown first');

  // Followed.
  await page.locator('#link:not(.lost)').waitFor();
  await page.locator('#times').check();
  await write('followed one');
  await until(page, () => document.getElementById('log').textContent.includes('followed one'));
  check(/\d\d:\d\d:\d\d/.test(await page.locator('#log span[data-at]').last().getAttribute('data-at')), 'when it arrived');
  check(await isAtEnd(), 'the end stays in view');

  // Paused, and caught up.
  await page.locator('#follow').click();
  await write('while paused');
  await until(page, () => document.getElementById('follow').textContent.includes('1 new lines wait'));
  check(!(await text()).includes('while paused'), 'nothing moves while it is paused');
  await page.locator('#follow').click();
  await until(page, () => document.getElementById('log').textContent.includes('while paused'));

  // Back, into the rotated file.
  const has = (line) => document.getElementById('log').textContent.includes(line);
  for (let step = 0; step < 200 && !await page.evaluate(has, '019999 order accepted'); step += 1) {
    const before = await page.evaluate(() => document.getElementById('log').firstElementChild.textContent);
    await page.evaluate(() => { const log = document.getElementById('log'); log.scrollTop = 200; log.scrollTop = 0; log.dispatchEvent(new Event('scroll')); });
    await until(page, (before) => document.getElementById('log').firstElementChild.textContent !== before, before);
  }
  check(await page.evaluate(has, '019999 order accepted'), 'the end of the rotated file');

  // Searched, all of it.
  await page.locator('#search input').fill('000777');
  await page.locator('#search button').click();
  await page.locator('.hits .hit').first().waitFor();
  same(await page.locator('.hits .hit').count(), 1, 'hits');
  await page.locator('.hits .hit').click();
  await until(page, () => document.querySelector('#log mark')?.textContent === '000777');
  await page.locator('#search input').fill('支付失败');
  await page.locator('#search button').click();
  await until(page, () => document.querySelector('.hits .hit')?.textContent.includes('支付失败 in GBK'));

  // All of it as a file.
  const whole = await (await script.get(`${url}/log/download?name=chatty`)).body();
  check(whole.subarray(0, 6).toString() === '020000' && whole.includes('followed one'), 'the file as it is');

  // Who has no log is told so.
  await page.goto(`${url}/log?name=chatty&channel=stderr`);
  await page.getByText('There is no log file here').waitFor();
  check(existsSync(`${folder}/chatty.log.1`), 'the rotated file is where it was');
  await script.dispose();
});
