// The report of `i2sb-run eval`, made by a small evaluation and opened as a file.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { launch } from './browser.mjs';
import { out, root } from './paths.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = join(out, 'report');
const url = pathToFileURL(join(folder, 'index.html')).href;
let browser;

before(async () => {
  await rm(folder, { recursive: true, force: true });
  const crops = join(out, 'crops.tsv');
  await writeFile(crops, ['file\tx\ty\twidth\theight\tset', 'canyon-wren.jpg\t150\t60\t96\t96\tmain', 'canyon-wren.jpg\t40\t120\t96\t64\tmain', ''].join('\n'));
  const made = promisify(execFile)(join(out, 'i2sb-run'), ['eval', '--photos', join(root, 'testdata'), '--crops', crops, '--task', 'sr4x-bicubic',
    '--steps', '1,2', '--metrics', 'psnr,ssim,perceptual', '--classical', '--report', folder]);
  [browser] = await Promise.all([launch(), made]);
});
after(() => browser?.close());

/** A test with the report open; nothing may be logged, or asked of elsewhere. */
const on = (f) => async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000); // machines may be slow, and busy
  const faults = [], asked = [];
  page.on('pageerror', (e) => faults.push(String(e)));
  page.on('console', (m) => faults.push(m.text()));
  page.on('requestfailed', (r) => faults.push(`${r.url()} failed`));
  page.on('request', (r) => asked.push(r.url()));
  try {
    await page.goto(url);
    await f(page);
    assert.deepEqual(faults, []);
    assert.deepEqual(asked.filter((u) => !u.startsWith(pathToFileURL(folder).href)), []);
  } finally {
    await page.close();
  }
};

/** Loads what a page would load when it is scrolled to; the pictures' widths. */
const decoded = (page) => page.evaluate(() => Promise.all([...document.images].map(async (i) => {
  i.loading = 'eager';
  await i.decode();
  return i.naturalWidth;
})));

test('wide and narrow, light and dark: whole, open to everybody, no wider than the window', on(async (page) => {
  const widths = await decoded(page);
  assert.equal(widths.length, 1 + 2 * 2); // a curve, and two crops before and after
  assert.ok(widths.every((w) => w > 0));
  await page.evaluate(axe);
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      const state = `${width}-${colorScheme}`;
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, state);
      const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations
        .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary}`).join(' | ')}`));
      assert.deepEqual(found, [], state);
      if (process.env.I2SB_SHOTS) await page.screenshot({ path: join(out, `report-${state}.png`), fullPage: true });
    }
  }
}));

test('before and after, by mouse and keys and of other methods', on(async (page) => {
  const section = page.locator('section').first(), stage = section.locator('.stage').first();
  const at = () => stage.evaluate((e) => e.style.getPropertyValue('--at'));
  await stage.scrollIntoViewIfNeeded();
  const box = await stage.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 5, box.y + box.height / 2, { steps: 3 });
  await page.mouse.up();
  assert.ok(Math.abs(parseFloat(await at()) - 20) < 3, await at());

  await stage.locator('input').focus();
  await page.keyboard.press('End');
  assert.equal(await at(), '100%');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await at(), '99%');

  await section.getByLabel('left').selectOption('lanczos');
  await section.getByLabel('right').selectOption('original');
  assert.ok((await decoded(page)).every((w) => w > 0));
  for (const [side, want] of ['lanczos', 'original'].entries()) {
    for (const img of await section.locator(`.stage img:nth-of-type(${side + 1})`).all()) {
      assert.match(await img.getAttribute('src'), new RegExp(`\\.${want}\\.`));
      assert.match(await img.getAttribute('alt'), new RegExp(`, ${want}$`));
    }
  }
  assert.match(await section.locator('.ends').first().textContent(), /^PSNR dB [\d.]+.*original$/);
}));
