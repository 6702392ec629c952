// Without JavaScript: the same table, the same actions, asked back on a page of its own.

import { check, run, same, url } from './browser.mjs';

const state = async (page, name) => page.locator(`tr[data-n="${name}"]`).getAttribute('data-s');

await run(async ({ visit }) => {
  const page = await visit({ javaScriptEnabled: false });
  await page.goto(url);
  await page.locator('tr[data-n=cleanup] button[value="start:cleanup"]').click();
  await page.locator('#results li.good', { hasText: 'cleanup' }).waitFor();
  same(await state(page, 'cleanup'), 'RUNNING', 'it was started');

  await page.locator('tr[data-n=gateway] button[value="stop:gateway"]').click();
  await page.getByRole('heading', { name: 'Stop: are you sure?' }).waitFor();
  await page.getByRole('link', { name: 'Cancel' }).click();
  same(await state(page, 'gateway'), 'RUNNING', 'it was not stopped');
  await page.locator('tr[data-n=gateway] button[value="stop:gateway"]').click();
  await page.getByRole('button', { name: 'Yes, stop' }).click();
  await page.locator('#results li.good', { hasText: 'gateway' }).waitFor();
  same(await state(page, 'gateway'), 'STOPPED', 'it was stopped');
  await page.reload();
  check(!await page.locator('#results').isVisible(), 'results are shown once');

  for (const name of ['payments:refund', 'mailer']) await page.locator(`input[value="${name}"]`).check();
  await page.locator('.tools button[value=stop]').click();
  await page.getByRole('button', { name: 'Yes, stop' }).click();
  await page.locator('#results li.bad', { hasText: 'mailer' }).waitFor();
  same(await state(page, 'payments:refund'), 'STOPPED', 'the other one was stopped');

  await page.locator('select[name=state]').selectOption('FATAL');
  await page.getByRole('button', { name: 'Filter' }).click();
  same(await page.locator('tr[data-n]').count(), 1, 'what the filter lets through');

  await page.goto(`${url}/log?name=gateway`);
  await page.locator('#log').waitFor();
  await page.goto(`${url}/tail.html?processname=gateway`);
  same(await page.locator('h1').innerText(), 'Supervisor tail of process gateway', 'the old page');
  await page.getByRole('link', { name: '中文' }).click();
  await page.getByRole('link', { name: '总览' }).click();
  await page.getByText('全部停止').waitFor();
});
