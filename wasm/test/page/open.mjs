// The page, open in a browser, and what a visitor does first.
import { fileURLToPath } from 'node:url';

export const bird = fileURLToPath(new URL('../../../testdata/canyon-wren.jpg', import.meta.url));

/** Opens the page in a context of its own. fake sets the module's behaviour, onDialog answers what it asks, from the start on. */
export async function open(browser, url, { fake = {}, ready = true, query = '', onDialog, ...context } = {}) {
  const ctx = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  const page = await ctx.newPage();
  page.setDefaultTimeout(120_000); // machines may be slow, and busy
  page.faults = [];
  page.on('pageerror', (e) => page.faults.push(String(e)));
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) page.faults.push(m.text()); });
  if (onDialog) page.on('dialog', onDialog); // before it loads: a dialog without a listener is dismissed
  await page.addInitScript((f) => { globalThis.fake = f; }, fake);
  await page.goto(url + query);
  if (ready) await page.locator('#engine[data-state="ready"]').waitFor();
  return page;
}

/** Chooses a file as the visitor would, through the picker. */
export async function choose(page, file = bird) {
  await page.locator('#file').setInputFiles(file);
  await page.locator('body[data-phase="ready"]').waitFor();
}

export async function restored(page) {
  await page.getByRole('button', { name: /^Restore/ }).click();
  await page.locator('body[data-phase="result"]').waitFor();
}
