// A thousand restorations of the smallest network, of four sizes, leave the
// memory as it was: WebAssembly's, what Go holds of JavaScript's, and the GPU's.
// The pictures are small because SwiftShader computes some hundred pixels a
// second. And one large picture, whole.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { launch } from './browser.mjs';
import { out } from './paths.mjs';
import { serve } from './serve.mjs';

const times = Number(process.env.I2SB_TIMES ?? 1000);

for (const device of ['wasm', 'webgpu']) {
  test(`a thousand restorations, ${device}`, { skip: !process.env.I2SB_LONG && 'I2SB_LONG=1' }, async () => {
    const server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out });
    const original = readFileSync(`${out}/site/i2sb/worker.mjs`);
    server.fault = (path, request, response) => {
      if (path !== '/i2sb/worker.mjs' || device === 'wasm') return false;
      response.setHeader('Content-Type', 'text/javascript');
      response.end(Buffer.concat([Buffer.from("import '/test/counting-gpu.mjs';\n"), original]));
      return true;
    };
    const browser = await launch({ webgpu: device === 'webgpu' });
    const page = await browser.newPage();
    await page.goto(`${server.url}/test/blank.html`);
    await page.exposeFunction('say', (text) => console.log(text));
    const marks = await page.evaluate(async ([device, times]) => {
      const { load } = await import('/i2sb/i2sb.mjs');
      const channel = new BroadcastChannel('held');
      const held = () => device === 'wasm' ? {} : new Promise((told) => {
        channel.onmessage = ({ data }) => told(data);
        channel.postMessage('tell');
      });
      const model = await load('/out/tiny.i2sb', { device });
      const marks = [];
      for (let i = 1; i <= times; i++) {
        const bitmap = await model.restore(new ImageData(8 + (i % 4) * 4, 8), { seed: i });
        bitmap.close();
        if (i % Math.ceil(times / 10) === 0) {
          marks.push({ ...await model.usage(), ...await held() });
          await window.say(`${i}: ${JSON.stringify(marks.at(-1))}`);
        }
      }
      model.dispose();
      return marks;
    }, [device, times]);
    await browser.close();
    server.close();
    const [early, late] = [marks.slice(0, 5), marks.slice(5)];
    const room = { wasm: 2 << 20, handles: 10, buffers: 0, bytes: 0, pipelines: 0 };
    for (const of of Object.keys(marks[0])) {
      const most = (list) => Math.max(...list.map((m) => m[of]));
      assert.ok(most(late) <= most(early) + room[of], `${of} grew: ${JSON.stringify(marks)}`);
    }
  });
}

test('8000×6000 pixels by tiles, within 2.75 GiB', { skip: !process.env.I2SB_LONG && 'I2SB_LONG=1' }, async () => {
  const server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname }, { isolated: true });
  const browser = await launch();
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`${server.url}/test/blank.html`);
  await page.exposeFunction('say', (text) => console.log(text));
  const r = await page.evaluate(async () => {
    const { load } = await import('/i2sb/i2sb.mjs');
    const { pixels } = await import('/test/page-helpers.mjs');
    const [width, height] = [8000, 6000];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    const sky = context.createLinearGradient(0, 0, width, height);
    sky.addColorStop(0, '#22405f');
    sky.addColorStop(1, '#c98d66');
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#ffffff50';
    for (let i = 0; i < 3000; i++) context.fillRect((i * 7919) % width, (i * 104729) % height, 40, 30);
    const jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.4 });
    canvas.width = 1;
    const model = await load('/packs/default.i2sb');
    const began = performance.now();
    const told = [];
    const png = await model.restore(jpeg, { output: 'blob', onWork(w) {
      if (Math.floor(10 * w.fraction) > Math.floor(10 * (told.at(-1)?.fraction ?? 0))) window.say(`tile ${w.tile} of ${w.tiles}`);
      told.push(w);
    } });
    const minutes = (performance.now() - began) / 60_000;
    const { wasm } = await model.usage();
    model.dispose();
    const [x, y] = [await pixels(jpeg), await pixels(png)];
    let change = 0;
    for (let i = 0; i < x.data.length; i++) change += Math.abs(x.data[i] - y.data[i]);
    return {
      size: [y.width, y.height], change: change / x.data.length, wasm, minutes, threads: model.info.device.threads, tiles: told.at(-1).tiles,
      forward: told.every((w, i) => i === 0 || w.fraction >= told[i - 1].fraction), times: told.length,
    };
  });
  await browser.close();
  server.close();
  console.log(`${r.minutes.toFixed(1)} minutes with ${r.threads} threads, ${r.tiles} tiles, ${(r.wasm / 2 ** 30).toFixed(2)} GiB, changed by ${r.change.toFixed(2)} of 255 on average`);
  assert.deepEqual(r.size, [8000, 6000]);
  assert.ok(r.change > 0.05 && r.change < 10, `changed by ${r.change} of 255`);
  assert.ok(r.forward && r.times > r.tiles / 4, `${r.times} reports`);
  assert.ok(r.wasm <= 2.75 * 2 ** 30, `${r.wasm} bytes`);
});
