// A thousand restorations of the smallest network, of four sizes, leave the
// memory as it was: WebAssembly's, what Go holds of JavaScript's, and the GPU's.
// The pictures are small because SwiftShader computes some hundred pixels a second.
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
