// The overview: live, filtered, sorted, and every action on it.

import { check, confirm, request, row, run, same, until, url, waitForState } from './browser.mjs';

await run(async ({ visit }) => {
  // The daemon is away for a moment below.
  const page = await visit({}, [/net::ERR_/]);
  await page.goto(url);
  await page.locator('#link:not(.lost)').waitFor();

  // What the page says is what there is.
  same(await row(page, 'report').locator('.exit').innerText(), 'status 3', 'the last exit');
  check((await row(page, 'mailer').innerText()).includes("can't find command"), 'why it failed');
  check(await page.locator('.chip[data-s=FATAL] b').innerText() === '1', 'one has failed');

  // A change from outside arrives without anybody asking.
  const script = await request.newContext();
  const act = (action, targets) => script.post(`${url}/api/v1/actions`, { data: { action, targets } });
  const began = Date.now();
  await act('start', ['cleanup']);
  await waitForState(page, 'cleanup', 'RUNNING');
  console.log(`live: a start was answered and seen within ${Date.now() - began} ms (startsecs is 1 s)`);
  const stopped = waitForState(page, 'cleanup', 'STOPPED').then(() => Date.now());
  const answered = act('stop', ['cleanup']).then(() => Date.now());
  console.log(`live: a stop was seen ${await stopped - await answered} ms after its answer`);

  // One program.
  await row(page, 'cleanup').locator('button[value^=start]').click();
  await waitForState(page, 'cleanup', 'RUNNING');
  await page.locator('#results li.good').waitFor();
  await row(page, 'gateway').getByRole('button', { name: 'Restart' }).click();
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  const pid = await row(page, 'gateway').locator('.pid').innerText();
  await row(page, 'gateway').getByRole('button', { name: 'Restart' }).click();
  await confirm(page);
  await until(page, (pid) => {
    const now = document.querySelector('tr[data-n=gateway] .pid').textContent;
    return now && now !== pid && document.querySelector('tr[data-n=gateway]').dataset.s === 'RUNNING';
  }, pid);
  await until(page, () => document.querySelector('tr[data-n=gateway] .restarts').textContent === '1');

  // A group.
  await page.locator('tr.group[data-g=payments]').getByRole('button', { name: 'Stop' }).click();
  await confirm(page);
  await waitForState(page, 'payments:settle', 'STOPPED');
  await waitForState(page, 'payments:refund', 'STOPPED');
  await page.locator('tr.group[data-g=payments]').locator('button[value^=start]').click();
  await confirm(page);
  await waitForState(page, 'payments:refund', 'RUNNING');

  // Several, and what cannot be done is said for each.
  await row(page, 'report').locator('input').check();
  await row(page, 'mailer').locator('input').check();
  same(await page.locator('#selected').innerText(), '2 selected', 'the count');
  await page.locator('.tools button[value=start]').click();
  await page.locator('#results li.bad', { hasText: 'mailer' }).waitFor();
  await page.locator('#results li', { hasText: 'report' }).waitFor();
  await row(page, 'report').locator('input').uncheck();
  await row(page, 'mailer').locator('input').uncheck();
  await row(page, 'gateway').locator('input').check();
  await page.locator('.tools select[name=signal]').selectOption('TERM');
  await page.locator('.tools button[value=signal]').click();
  await confirm(page);
  await until(page, () => document.querySelector('tr[data-n=gateway] .exit').textContent.includes('SIGTERM'));
  await page.locator('.tools button[value=clear]').click();
  await confirm(page);
  await page.locator('#results li.good', { hasText: 'gateway' }).waitFor();

  // Filters and sorting.
  await page.keyboard.press('/');
  await page.keyboard.type('worker');
  await until(page, () => [...document.querySelectorAll('tr[data-n]')].filter((row) => !row.hidden).length === 3);
  same(await page.locator('#shown').innerText(), '3 of 10 shown', 'the count of what is shown');
  await page.locator('input[name=q]').fill('');
  await page.locator('.chip[data-s=FATAL]').click();
  await until(page, () => [...document.querySelectorAll('tr[data-n]')].filter((row) => !row.hidden).length === 1);
  await page.locator('.chip[data-s=FATAL]').click();
  await page.locator('th.state button').click();
  same(await page.locator('tr[data-n]').first().getAttribute('data-n'), 'mailer', 'the most worrying first');
  same(await page.locator('th.state').getAttribute('aria-sort'), 'ascending', 'the order is told');
  await page.locator('th.name button').click();

  // After a restart of the daemon the page is there again by itself, with its filter, and can act.
  await page.locator('input[name=q]').fill('worker');
  const restart = '<methodCall><methodName>supervisor.restart</methodName></methodCall>';
  const token = () => page.locator('body').getAttribute('data-token');
  const old = await token();
  await script.post(`${url}/RPC2`, { data: restart, headers: { 'Content-Type': 'text/xml' } });
  await until(page, (old) => document.body.dataset.token !== old && document.querySelector('#link:not(.lost):not([hidden])') !== null, old);
  same(await page.locator('input[name=q]').inputValue(), 'worker', 'the filter is still there');
  await waitForState(page, 'worker:worker_00', 'RUNNING');
  await row(page, 'worker:worker_00').getByRole('button', { name: 'Stop' }).click();
  await confirm(page);
  await waitForState(page, 'worker:worker_00', 'STOPPED');

  // The program's own page follows too.
  await page.goto(`${url}/program?name=payments%3Arefund`);
  await page.locator('#link:not(.lost)').waitFor();
  await act('restart', ['payments:refund']);
  await until(page, () => document.querySelector('#history tr .state').textContent.includes('Running') && Number(document.querySelector('dd.restarts').textContent) >= 1);
  check((await page.locator('section', { hasText: 'Settings in effect' }).innerText()).includes('supervisord.conf:'), 'where a setting comes from');
  await page.goto(`${url}/program?name=gateway`);
  const pageText = await page.locator('main').innerText();
  check(pageText.includes('8080') && !pageText.includes('opensesame'), 'secrets are masked');

  // And the feed.
  await page.goto(`${url}/events`);
  await page.locator('#link:not(.lost)').waitFor();
  await act('stop', ['worker:worker_01']);
  await page.locator('#feed tr', { hasText: 'stop worker:worker_01: done' }).waitFor();
  await script.dispose();
});
