// What all scripts share: a browser, pages whose every complaint counts, and a few words to check with.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

const require = createRequire(process.env.BROWSER_PACKAGES);
const { chromium, request } = require('playwright-core');
export const axePath = require.resolve('axe-core/axe.min.js');
export { request };
export const url = process.env.CONSOLE_URL;
export const folder = process.env.CONSOLE_DIR;
export const screenshots = process.env.SCREENSHOTS;

/** How long anything may take: long, for a machine with much else to do. */
export const PATIENCE = Number(process.env.PATIENCE ?? 60_000);

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .find((path) => spawnSync('test', ['-x', path]).status === 0);

/** Runs a script with a browser; whatever is thrown, or complained of by a page, fails it. */
export async function run(script) {
  const browser = await chromium.launch({ executablePath: executable, headless: true, args: FLAGS });
  const complaints = [];
  /** A page of its own visitor. `allowed` are complaints that are meant to come. */
  const visit = async (options = {}, allowed = []) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
    context.setDefaultTimeout(PATIENCE);
    // For trying out changes by hand, without building: the files of this folder instead of those in the program.
    if (process.env.ASSETS) await context.route('**/assets/*.{js,css}', (route) => {
      const path = `${process.env.ASSETS}/${new URL(route.request().url()).pathname.split('/').pop()}`;
      return existsSync(path) ? route.fulfill({ path }) : route.continue();
    });
    const page = await context.newPage();
    const complain = (text) => { if (!allowed.some((one) => one.test(text))) complaints.push(`${page.url()}: ${text}`); };
    page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complain(message.text()); });
    page.on('pageerror', (error) => complain(String(error.stack ?? error)));
    page.on('request', (asked) => { if (!asked.url().startsWith('data:') && !asked.url().startsWith(url)) complain(`asked elsewhere: ${asked.url()}`); });
    return page;
  };
  try {
    await script({ browser, visit });
    check(complaints.length === 0, `complaints of the browser:\n${complaints.join('\n')}`);
  } catch (error) {
    console.error(error.stack ?? error);
    if (complaints.length) console.error(complaints.join('\n'));
    process.exitCode = 1;
  }
  await browser.close();
}

export function check(condition, text) {
  if (!condition) throw new Error(text);
}

export function same(got, wanted, what) {
  check(JSON.stringify(got) === JSON.stringify(wanted), `${what}: ${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
}

/** Waits until a condition in the page comes true. Playwright's own way evaluates a string there, which the page's policy forbids. */
export async function until(page, condition, argument) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    // A page on its way to another one cannot be asked.
    if (await page.evaluate(condition, argument).catch(() => false)) return;
    check(Date.now() < end, `waited in vain, ${page.url()}: ${condition} ${JSON.stringify(argument) ?? ''}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

export const row = (page, name) => page.locator(`tr[data-n="${name}"]`);

export async function waitForState(page, name, state) {
  await until(page, ([name, state]) => document.querySelector(`tr[data-n="${name}"]`)?.dataset.s === state, [name, state]);
}

/** Answers the dialogue that asks back. */
export async function confirm(page) {
  await page.locator('dialog button.primary').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
}
