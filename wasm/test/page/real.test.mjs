// The page with the real module and the built-in model, as `i2sb-run web`
// writes them (build.mjs): one picture, one step, offline afterwards.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { out } from '../paths.mjs';
import { serve } from '../serve.mjs';
import { frozen, mainThread } from '../tasks.mjs';
import { choose, open } from './open.mjs';

let browser, server;
before(async () => {
  server = await serve({ '/': `${out}/site` });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test('the bird is restored by the real module, then again without a network', async (t) => {
  const page = await open(browser, `${server.url}/`, { ready: false });
  page.setDefaultTimeout(60_000);
  const asked = [];
  page.context().on('request', (r) => asked.push(r.url()));
  const opened = Date.now();
  await page.locator('#engine[data-state="ready"]').waitFor();
  t.diagnostic(`model ready ${Date.now() - opened} ms after the page was shown`);
  await choose(page);
  const longest = await mainThread(page);
  await page.locator('#restore').click();
  await page.locator('body[data-phase="result"]').waitFor();
  const { busy, wall } = await longest();
  t.diagnostic(`${await page.locator('#result-line').textContent()}; longest task of the main thread ${busy.toFixed(1)} ms of the processor, ${wall.toFixed(1)} by the clock`);
  assert.ok(busy <= frozen, `a task of ${busy} ms`);
  const size = (p) => p.locator('#picture .after').evaluate((i) => [i.naturalWidth, i.naturalHeight]);
  assert.deepEqual(await size(page), [384, 256]);
  const changed = await page.evaluate(async () => {
    const pixels = async (src) => {
      const image = await createImageBitmap(await (await fetch(src)).blob());
      const c = new OffscreenCanvas(image.width, image.height).getContext('2d');
      c.drawImage(image, 0, 0);
      return c.getImageData(0, 0, image.width, image.height).data;
    };
    const [a, b] = await Promise.all(['.before', '.after'].map((q) => pixels(document.querySelector(`#picture ${q}`).src)));
    return Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length);
  });
  assert.ok(changed > 1 && changed < 12, `the root of the mean square of the change is ${changed} of 255`);
  const coming = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  const png = await readFile(await (await coming).path());
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual(asked.filter((u) => !u.startsWith(server.url) && !u.startsWith('blob:') && !u.startsWith('data:')), []);

  await page.locator('html[data-offline="ready"]').waitFor({ state: 'attached' });
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await server.close();
  server = null;
  await page.reload();
  await page.locator('#engine[data-state="ready"]').waitFor();
  await choose(page);
  await page.locator('#restore').click();
  await page.locator('body[data-phase="result"]').waitFor();
  assert.deepEqual(await size(page), [384, 256]);
  // Chromium says so itself when asked for WebGPU where there is none.
  assert.deepEqual(page.faults.filter((f) => f !== 'No available adapters.'), []);
  await page.context().close();
});
