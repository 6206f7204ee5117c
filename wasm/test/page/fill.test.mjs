// The page with the real module and a pack that fills in, on WASM and on
// WebGPU: what is painted is new, everything else stays as it was, exactly.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { out } from '../paths.mjs';
import { png } from '../png.mjs';
import { serve } from '../serve.mjs';
import { choose, open, restored } from './open.mjs';

let server;
before(async () => { server = await serve({ '/': `${out}/site`, '/more/': out }); });
after(() => server?.close());

const [width, height] = [60, 40];
const picture = { name: 'scratched.png', mimeType: 'image/png', buffer: png(width, height, (x, y) => (x * 13 + y * 29) % 256) };

/** The pixels of an image or a canvas of the page. */
const pixels = (page, what) => page.locator(what).evaluate((e) => {
  const context = new OffscreenCanvas(e.naturalWidth ?? e.width, e.naturalHeight ?? e.height).getContext('2d');
  context.drawImage(e, 0, 0);
  return [...context.getImageData(0, 0, context.canvas.width, context.canvas.height).data];
});

for (const device of ['wasm', 'webgpu']) {
  test(`paint with pointer and keys, undo, restore on ${device}`, async () => {
    const browser = await launch({ webgpu: device === 'webgpu' });
    const page = await open(browser, `${server.url}/`, { query: `?pack=more/tiny.i2sb&device=${device}` });
    await choose(page, picture);
    await page.getByRole('radio', { name: /Fill in/ }).check();
    await page.getByText('Paint over what is to be filled in').waitFor();
    const box = await page.locator('#mask').boundingBox();
    const stroke = async (y) => {
      await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * y);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * y, { steps: 4 });
      await page.mouse.up();
    };
    await stroke(0.2);
    assert.equal(await page.getByText('Paint over what is to be filled in').isVisible(), false);
    await stroke(0.8);
    const low = async () => (await pixels(page, '#mask canvas')).slice(4 * width * height / 2).some((v) => v > 0);
    assert.equal(await low(), true);
    await page.getByRole('button', { name: 'Undo' }).click();
    assert.equal(await low(), false);
    const canvas = page.getByRole('application', { name: /Mask/ });
    await canvas.focus();
    // Doing it again draws it in one go, as for the module: the edges are the same.
    for (const key of ['ArrowRight', 'ArrowRight', ']', 'Space', 'ArrowDown', 'Space', 'Control+z', 'Control+y']) await canvas.press(key);
    assert.equal(await low(), true);
    const mask = await pixels(page, '#mask canvas');
    await restored(page);
    const [x, y] = [await pixels(page, '#picture .before'), await pixels(page, '#picture .after')];
    assert.equal(y.length, 4 * width * height);
    let [painted, changed] = [0, 0];
    for (let i = 0; i < x.length; i++) {
      const hole = mask[4 * Math.floor(i / 4) + 3];
      if (hole === 0) assert.equal(y[i], x[i], `value ${i} is known and has changed`);
      if (hole === 255 && i % 4 < 3) {
        painted++;
        changed += y[i] !== x[i];
      }
    }
    assert.ok(painted > 300 && painted < x.length / 3, `${painted} values are painted over`);
    assert.ok(changed > 0.9 * painted, `${changed} of ${painted} are new`);
    const where = device === 'wasm' ? 'Processor' : 'WebGPU (software)';
    assert.match(await page.locator('#result-line').textContent(), new RegExp(where.replace(/[()]/g, '\\$&')));
    assert.equal(await page.locator('#engine-text').textContent(), where);
    await page.locator('#engine').click();
    await page.getByText(device === 'wasm' ? /^wasm|one thread/i : /SwiftShader.*emulated on the processor, slow/i).first().waitFor();
    assert.deepEqual(page.faults.filter((f) => f !== 'No available adapters.'), []);
    await browser.close();
  });
}
