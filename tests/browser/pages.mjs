// Every page, in both languages and themes and on a phone: nothing to complain of, nothing serious for axe, and a picture of each.

import { readFileSync } from 'node:fs';
import { axePath, check, run, same, screenshots, until, url } from './browser.mjs';

const axe = readFileSync(axePath, 'utf8');
const PAGES = [
  ['overview', '/', 'tr[data-n=gateway]'],
  ['program', '/program?name=gateway', '.chart'],
  ['log', '/log', '#log'],
  ['events', '/events', '#feed tr'],
  ['changes', '/changes', '#plan tr'],
  ['host', '/host', 'meter'],
  ['about', '/about', '.links'],
];
const LANGUAGES = [['en', 'en-GB', 'Overview'], ['zh', 'zh-CN', '总览']];

/** Findings that keep somebody from using the page. */
async function serious(page) {
  // Evaluated by the test, not by the page, so its policy is not in the way.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }));
  return violations.filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

async function signIn(page, user, password) {
  await page.locator('input[name=username]').fill(user);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button.primary').click();
  await page.locator('header.top').waitFor();
}

await run(async ({ visit }) => {
  for (const [language, locale, word] of LANGUAGES) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await visit({ locale, colorScheme, viewport: { width: 1180, height: 720 } });
      await page.goto(url);
      await page.locator('input[name=username]').waitFor();
      same(await serious(page), [], `axe on the sign-in page, ${language}, ${colorScheme}`);
      await page.screenshot({ path: `${screenshots}/login-${language}-${colorScheme}.png` });
      await signIn(page, 'admin', 'secret');
      for (const [name, path, landmark] of PAGES) {
        await page.goto(url + path);
        await page.locator(landmark).first().waitFor();
        check((await page.locator('nav').first().innerText()).includes(word), `${name} is in ${language}`);
        if (['overview', 'program', 'events'].includes(name)) await page.locator('#link:not(.lost)').waitFor();
        if (name === 'program') await until(page, () => document.querySelector('.cpu').textContent !== '–');
        same(await serious(page), [], `axe on ${name}, ${language}, ${colorScheme}`);
        await page.screenshot({ path: `${screenshots}/${name}-${language}-${colorScheme}.png` });
      }
      await page.context().close();
    }
  }

  // By the switches, whatever the browser prefers.
  const page = await visit({ locale: 'en-GB', colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await page.goto(url);
  await signIn(page, 'admin', 'secret');
  await page.getByRole('link', { name: '中文' }).click();
  await page.getByText('全部停止').waitFor();
  same(await page.evaluate(() => document.documentElement.lang), 'zh-CN', 'the language was switched');
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.locator('#theme').click();
  await until(page, () => document.documentElement.dataset.theme === 'dark');
  check(await background() !== light, 'the theme was switched');

  // On a phone nothing is wider than the screen, and every action is there.
  for (const [name, path, landmark] of PAGES) {
    await page.goto(url + path);
    await page.locator(landmark).first().waitFor();
    const surplus = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(surplus <= 0, `${name} is ${surplus} pixels too wide for a phone`);
    if (name === 'overview') {
      check(await page.locator('tr[data-n=gateway] button[value="stop:gateway"]').isVisible(), 'a program can be stopped on a phone');
      await page.screenshot({ path: `${screenshots}/phone-zh-dark.png` });
    }
  }

  // By keyboard alone: skip to the content, reach a button, be asked back, leave.
  const desk = await visit({ viewport: { width: 1180, height: 720 } });
  await desk.goto(url);
  await signIn(desk, 'admin', 'secret');
  await desk.keyboard.press('Tab');
  same(await desk.evaluate(() => document.activeElement.className), 'skip', 'the first stop of Tab');
  await desk.keyboard.press('Enter');
  await desk.locator('tr[data-n=gateway] button[value="stop:gateway"]').focus();
  await desk.keyboard.press('Enter');
  await desk.locator('dialog').waitFor();
  same(await serious(desk), [], 'axe on the dialogue');
  await desk.keyboard.press('Escape');
  await desk.locator('dialog').waitFor({ state: 'detached' });
});
