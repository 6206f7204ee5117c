// The packages' own tests in the browser: every operator against the
// reference executor, and the fixtures of the reference implementation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { serve } from './serve.mjs';
import { out } from './paths.mjs';

let server, browser, page;

before(async () => {
  server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out });
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`${server.url}/i2sb/package.json`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** Runs a package's tests in a worker and returns what they print. */
async function gotest(name, { argv = [], env = {}, relaxed = true } = {}) {
  const { code, output } = await page.evaluate(({ name, argv, env, relaxed }) => new Promise((done) => {
    const worker = new Worker('/test/gotest-worker.mjs', { type: 'module' });
    worker.onmessage = ({ data }) => { worker.terminate(); done(data); };
    worker.onerror = (e) => done({ code: -1, output: e.message });
    worker.postMessage({ base: `${location.origin}/i2sb/`, module: `${location.origin}/out/${name}.test.wasm`, data: `${location.origin}/out/${name}`, argv, env, relaxed });
  }), { name, argv, env, relaxed });
  assert.equal(code, 0, output);
  return output;
}

for (const relaxed of [true, false]) {
  const kernels = relaxed ? 'wasm-relaxed' : 'wasm';
  test(`every operator, ${kernels}`, async () => {
    const output = await gotest('cpu', { argv: ['-test.v', '-test.run', 'TestOperators'], relaxed });
    assert.match(output, new RegExp(`--- PASS: TestOperators/${kernels} `));
  });
  test(`fixtures, ${kernels}`, async () => {
    const output = await gotest('verify', { argv: ['-test.v', '-test.run', 'TestFixtures', '-test.skip', 'TestFixtures/checkpoint'], relaxed });
    for (const name of ['unet-plain', 'unet-cond', 'unet-class', 'sample-sde', 'sample-inpaint', 'operators', 'schedule']) {
      assert.match(output, new RegExp(`--- PASS: TestFixtures/${name}.safetensors`));
    }
  });
}
