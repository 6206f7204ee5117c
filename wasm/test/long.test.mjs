// A thousand restorations of the smallest network leave the memory as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from './browser.mjs';
import { out } from './paths.mjs';
import { serve } from './serve.mjs';

test('a thousand restorations', { skip: !process.env.I2SB_LONG }, async () => {
  const server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out });
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(`${server.url}/test/blank.html`);
  await page.exposeFunction('say', (text) => console.log(text));
  const marks = await page.evaluate(async (times) => {
    const { load } = await import('/i2sb/i2sb.mjs');
    const model = await load('/out/tiny.i2sb', { device: 'wasm' });
    const marks = [];
    for (let i = 1; i <= times; i++) {
      const bitmap = await model.restore(new ImageData(16 + (i % 4) * 4, 24), { seed: i });
      bitmap.close();
      if (i % 100 === 0) {
        const { wasm, handles } = await model.usage();
        marks.push({ wasm, handles });
        await window.say(`${i}: ${wasm >> 10} KiB of WASM memory, ${handles} handles`);
      }
    }
    model.dispose();
    return marks;
  }, Number(process.env.I2SB_TIMES ?? 1000));
  await browser.close();
  server.close();
  const most = (of, list) => Math.max(...list.map((m) => m[of]));
  const [early, late] = [marks.slice(0, 5), marks.slice(5)];
  assert.ok(most('wasm', late) <= most('wasm', early) + (2 << 20), `the memory grew: ${JSON.stringify(marks)}`);
  assert.ok(most('handles', late) <= most('handles', early) + 100, `the handles grew: ${JSON.stringify(marks)}`);
});
