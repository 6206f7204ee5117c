// Pictures of every state at three widths, light and dark, for a look by eye:
// node page/shots.mjs [state …], into out/.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { serve } from './server.mjs';
import { launch } from '../browser.mjs';
import { open, choose, restored } from './open.mjs';
import { painted } from './pictures.mjs';

const out = fileURLToPath(new URL('../out/', import.meta.url));
const withMask = { tasks: [['jpeg'], ['sr4x', 4], ['deblur'], ['inpaint', 1, true]].map(([name, scale = 1, mask = false]) =>
  ({ name, family: name, description: '', trained: [], sampler: 'posterior', steps: 1, scale, mask })) };

const states = {
  empty: {},
  loading: { ready: false, fake: { load: { stallAt: 5 } }, go: (p) => p.waitForTimeout(300) },
  ready: { go: (p) => choose(p) },
  walking: { fake: { restore: { stepMs: 1200 } }, async go(p) {
    await choose(p);
    await p.locator('#sharpness').fill('2');
    await p.getByRole('button', { name: 'Restore' }).click();
    await p.locator('before-after[data-shows="walk"]').waitFor();
    await p.waitForTimeout(700);
  } },
  result: { async go(p) { await choose(p); await restored(p); } },
  mask: { fake: { info: withMask }, async go(p) {
    await choose(p);
    await p.locator('.task').nth(3).click();
    await p.locator('#mask canvas').scrollIntoViewIfNeeded();
    const b = await p.locator('#mask').boundingBox();
    await p.mouse.move(b.x + b.width * .5, b.y + b.height * .15);
    await p.mouse.down();
    for (const [x, y] of [[.56, .2], [.5, .35], [.45, .5], [.55, .6]]) await p.mouse.move(b.x + b.width * x, b.y + b.height * y, { steps: 4 });
    await p.mouse.up();
    await p.mouse.move(b.x + b.width * .3, b.y + b.height * .3);
  } },
  error: { fake: { restore: { fail: { code: 'out-of-memory', message: '8000×6000 needs 3.4 GB; WebAssembly has 4 GB and 1.1 GB are taken: choose tiles of 512 or less' } } }, async go(p) {
    await choose(p);
    await p.getByRole('button', { name: 'Restore' }).click();
    await p.locator('#trouble').waitFor();
  } },
  seeds: { async go(p) {
    await choose(p);
    await p.locator('#sharpness').fill('1');
    await restored(p);
    await p.getByRole('button', { name: 'Compare seeds' }).click();
    await p.locator('body[data-phase="result"]').waitFor();
    await p.waitForTimeout(200);
  } },
  settings: { fake: { packs: [{ sha256: 'a', url: 'https://x/packs/default.i2sb', bytes: 4194814, total: 4194814, complete: true, used: 0 }] }, async go(p) { await p.locator('#engine').click(); await p.waitForTimeout(100); } },
  offline: { ready: false, fake: { load: { fail: { code: 'network', message: 'packs/default.i2sb: cut off after 0 bytes (Failed to fetch); run it again to go on' } } }, go: (p) => p.locator('#trouble').waitFor() },
  refused: { fake: { support: { cache: { ok: false, reason: 'The operation is insecure.' } } }, async go(p) {
    await p.locator('#engine').click();
    await p.locator('#settings-body').evaluate((e) => e.scrollTo(0, 1e4));
  } },
  tall: { async go(p) { await choose(p, await painted(p, 500, 2400, 'A holiday in the mountains, the summer of nineteen ninety-seven, scanned from a print (copy 2) final final.jpg')); await restored(p); } },
  wide: { async go(p) { await choose(p, await painted(p, 3200, 500, 'panorama.jpg')); await restored(p); } },
  actual: { async go(p) { await choose(p, await painted(p, 3200, 1500, 'panorama.jpg')); await restored(p); await p.locator('#zoom').click(); } },
};

await mkdir(out, { recursive: true });
const server = await serve();
const browser = await launch();
const wanted = process.argv.slice(2).filter((a) => states[a]);
const widths = process.argv.slice(2).map(Number).filter(Boolean);
for (const [name, { go, ...state }] of Object.entries(states)) {
  if (wanted.length && !wanted.includes(name)) continue;
  for (const width of widths.length ? widths : [360, 768, 1440]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(browser, server.url, { ...state, colorScheme, viewport: { width, height: { 360: 740, 768: 1024, 1440: 900 }[width] ?? 900 }, hasTouch: width < 600, isMobile: width < 600 });
      try {
        await go?.(page);
        await page.waitForTimeout(350);
      } catch (e) {
        console.log(name, width, colorScheme, e.message);
      }
      await page.evaluate(() => document.activeElement?.blur());
      await page.screenshot({ path: `${out}${name}-${width}-${colorScheme}.png`, fullPage: width < 900 && (!go || name === 'settings') });
      if (page.faults.length) console.log(name, width, page.faults);
      await page.context().close();
    }
  }
}
await browser.close();
await server.close();
