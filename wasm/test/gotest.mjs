import assert from 'node:assert/strict';

/** Runs a package's tests (see build.mjs) in a worker of the page and returns what they print. */
export async function gotest(page, name, { argv = [], env = {}, relaxed = true, threads = 1 } = {}) {
  const { code, output } = await page.evaluate(({ name, argv, env, relaxed, threads }) => new Promise((done) => {
    const worker = new Worker('/test/gotest-worker.mjs', { type: 'module' });
    worker.onmessage = ({ data }) => { worker.terminate(); done(data); };
    worker.onerror = (e) => done({ code: -1, output: e.message });
    worker.postMessage({
      base: `${location.origin}/i2sb/`, module: `${location.origin}/out/${name}.test.wasm`, data: `${location.origin}/out/${name}`, argv, env, relaxed, threads,
    });
  }), { name, argv, env, relaxed, threads });
  assert.equal(code, 0, output);
  return output;
}
