// Several threads, in a page that is cross-origin isolated.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { out } from './paths.mjs';
import { serve } from './serve.mjs';

let server, browser, page;

before(async () => {
  server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out }, { isolated: true });
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`${server.url}/test/blank.html`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

afterEach(() => { server.fault = null; });

const run = (f, arg) => page.evaluate(`(async (arg) => {
  const i2sb = await import('/i2sb/i2sb.mjs');
  const help = await import('/test/page-helpers.mjs');
  return (${f})({ ...i2sb, ...help }, arg);
})(${JSON.stringify(arg)})`);

/** Puts a line before a script of the module. */
const prefix = (name, line) => {
  const original = readFileSync(`${out}/site/i2sb/${name}`);
  server.fault = (path, request, response) => {
    if (path !== `/i2sb/${name}`) return false;
    response.setHeader('Content-Type', 'text/javascript');
    response.end(Buffer.concat([Buffer.from(`${line}\n`), original]));
    return true;
  };
};

test('the same bytes with one thread and with several, while the memory grows', async () => {
  const r = await run(async ({ load, isSupported, plain }) => {
    const results = [];
    for (const threads of [1, 2, 5]) {
      const model = await load('/packs/default.i2sb', { device: 'wasm', threads, cache: 'none' });
      const memory = [(await model.usage()).wasm];
      const pictures = [];
      for (const [w, h] of [[20, 12], [300, 200], [64, 64]]) {
        pictures.push(await model.restore(plain(w, h, [90, 120, 30, 255]), { steps: 2, seed: 3, output: 'image-data' }));
        memory.push((await model.usage()).wasm);
      }
      results.push({ threads: model.info.device.threads, memory, pictures });
      model.dispose();
    }
    const [one] = results;
    return {
      support: (await isSupported()).threads, threads: results.map((r) => r.threads), grew: results.map(({ memory }) => memory[2] > memory[0]),
      same: results.map(({ pictures }) => pictures.every((p, i) => p.data.every((v, j) => v === one.pictures[i].data[j]))),
    };
  });
  assert.equal(r.support.ok, true);
  assert.ok(r.support.count >= 1);
  assert.deepEqual(r.threads, [1, 2, 5]);
  assert.deepEqual(r.grew, [true, true, true]);
  assert.deepEqual(r.same, [true, true, true]);
});

test('dispose ends the threads', async () => {
  prefix('thread.mjs', "navigator.locks.request('thread', { mode: 'shared' }, () => new Promise(() => {}));");
  const r = await run(async ({ load, plain, until }) => {
    const held = async () => (await navigator.locks.query()).held.filter((l) => l.name === 'thread').length;
    const model = await load('/out/tiny.i2sb', { device: 'wasm', threads: 4 });
    await model.restore(plain(40, 40, [1, 2, 3, 255]));
    await until(async () => await held() === 3);
    const during = await held();
    model.dispose();
    await until(async () => await held() === 0);
    return [during, await held()];
  });
  assert.deepEqual(r, [3, 0]);
});

test('an abort in the middle of a walk, and another walk after it', async () => {
  const r = await run(async ({ load, plain, code }) => {
    const model = await load('/out/tiny.i2sb', { device: 'wasm', threads: 2 });
    const c = new AbortController();
    const stopped = await code(model.restore(plain(64, 64, [1, 2, 3, 255]), { steps: 400, signal: c.signal, onStep: () => c.abort() }));
    const next = await code(model.restore(plain(16, 16, [1, 2, 3, 255])));
    model.dispose();
    return [stopped, next];
  });
  assert.deepEqual(r, ['aborted', 'ok']);
});

for (const [name, fault, reason] of [
  ['threads that cannot be started', () => { server.fault = (path, _, response) => path === '/i2sb/thread.mjs' && response.writeHead(404).end(); }, /thread\.mjs was not loaded/],
  ['a shared memory that the browser refuses', () => prefix('worker.mjs', `const make = WebAssembly.instantiate;
    WebAssembly.instantiate = (...args) => { WebAssembly.instantiate = make; return Promise.reject(new RangeError('no room for it')); };`), /no room for it/],
]) {
  test(`${name}: one thread, and the reason`, async () => {
    fault();
    const r = await run(async ({ load, plain, code }) => {
      const model = await load('/out/tiny.i2sb', { device: 'wasm', threads: 2 });
      const restored = await code(model.restore(plain(16, 16, [1, 2, 3, 255])));
      model.dispose();
      return { restored, device: model.info.device };
    });
    assert.deepEqual([r.restored, r.device.threads], ['ok', 1]);
    assert.match(r.device.detail, reason);
  });
}
