// A thousand programs: what the first page weighs, and that a change is seen. Times are printed, not judged.

import { check, request, run, same, until, url, waitForState } from './browser.mjs';

const BYTES_MAX = 150 * 1024;

await run(async ({ visit }) => {
  const page = await visit();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await page.goto(url);
  await page.locator('#link:not(.lost)').waitFor();
  const { server, paint } = await page.evaluate(() => ({
    server: performance.getEntriesByType('navigation')[0].responseStart - performance.getEntriesByType('navigation')[0].requestStart,
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  }));
  same(await page.locator('tr[data-n]').count(), 1001, 'rows');
  check(bytes <= BYTES_MAX, `the first page weighs ${bytes} bytes, limit ${BYTES_MAX}`);
  console.log(`thousand: ${bytes} bytes in all, first byte after ${server.toFixed(1)} ms, first paint after ${paint.toFixed(0)} ms`);

  const script = await request.newContext();
  await script.post(`${url}/api/v1/actions`, { data: { action: 'start', targets: ['one'] } });
  await waitForState(page, 'one', 'RUNNING');
  const began = Date.now();
  await page.locator('input[name=q]').fill('many_0777');
  await until(page, () => [...document.querySelectorAll('tr[data-n]')].filter((row) => !row.hidden).length === 1);
  console.log(`thousand: filtered within ${Date.now() - began} ms`);
  await script.dispose();
});
