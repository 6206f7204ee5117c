// The module's API on WebGPU: Chromium's SwiftShader, the driver's and the
// executor's own tests, and a GPU that goes away.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { gotest } from './gotest.mjs';
import { out, root } from './paths.mjs';
import { serve } from './serve.mjs';

const long = { skip: !process.env.I2SB_LONG && 'takes minutes on SwiftShader: I2SB_LONG=1' };

const kernels = join(root, 'shaders/testdata');

let server, browser, page;

before(async () => {
  server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out });
  browser = await launch({ webgpu: true });
  page = await browser.newPage();
  await page.goto(`${server.url}/test/blank.html`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

const run = (f, arg) => page.evaluate(`(async (arg) => {
  const i2sb = await import('/i2sb/i2sb.mjs');
  const help = await import('/test/page-helpers.mjs');
  return (${f})({ ...i2sb, ...help }, arg);
})(${JSON.stringify(arg)})`);

test('the binding', async () => {
  const output = await gotest(page, 'driver', { argv: ['-test.v', '-test.run', 'TestSequence|TestReleasedParts'] });
  assert.match(output, /--- PASS: TestSequence/);
  assert.doesNotMatch(output, /no adapter|has no WebGPU/);
});

test('every kernel passes the compiler', async () => {
  const texts = Object.fromEntries(readdirSync(kernels).map((name) => [name, readFileSync(join(kernels, name), 'utf8')]));
  const wrong = await page.evaluate(async (texts) => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter.requestDevice();
    const all = await Promise.all(Object.entries(texts).map(async ([name, code]) => {
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      return messages.map(({ type, lineNum, message }) => `${name}:${lineNum}: ${type}: ${message}`);
    }));
    device.destroy();
    return all.flat();
  }, { ...texts, 'a wrong one': 'fn f() -> u32 { return 1.5; }' });
  assert.ok(Object.keys(texts).length > 50);
  assert.equal(wrong.filter((line) => !line.startsWith('a wrong one')).join('\n'), '');
  assert.match(wrong.join('\n'), /^a wrong one:1: error/);
});

for (const [what, some, count, options] of [['a walk', 'sample-cond', 1, {}], ['all fixtures', '', 13, long]]) {
  test(`${what} of the reference, within the tolerances`, options, async () => {
    const output = await gotest(page, 'verify', { argv: ['-test.v', '-test.run', `TestGPU/${some}`, '-test.skip', 'TestGPU/train-'] });
    console.log(output);
    assert.equal(output.match(/--- PASS: TestGPU\//g).length, count);
  });
}

test('a software adapter is named, and only taken when it is asked for', async () => {
  const r = await run(async ({ isSupported, load }) => {
    const model = await load('/out/tiny.i2sb', { device: 'auto' });
    model.dispose();
    return { support: await isSupported(), device: model.info.device };
  });
  assert.equal(r.support.webgpu.software, true);
  assert.match(r.support.webgpu.adapter, /swiftshader/i);
  assert.equal(r.device.kind, 'wasm');
  assert.match(r.device.detail, /software/);
});

test('the same picture as on WASM', async () => {
  const r = await run(async ({ load, plain, psnr }) => {
    const [gpu, cpu] = [await load('/out/tiny.i2sb', { device: 'webgpu' }), await load('/out/tiny.i2sb', { device: 'wasm' })];
    const picture = plain(40, 24, [120, 90, 60, 255]);
    const options = { steps: 2, seed: 9, output: 'image-data' };
    const [x, y] = [await gpu.restore(picture, options), await cpu.restore(picture, options)];
    gpu.dispose();
    cpu.dispose();
    const db = psnr(x, y);
    return { db: Number.isFinite(db) ? db : 999, device: gpu.info.device };
  });
  assert.deepEqual([r.device.kind, r.device.software], ['webgpu', true]);
  assert.ok(r.db >= 48, `${r.db} dB`);
});

test('a device that is destroyed in the middle of a walk', async () => {
  const original = readFileSync(`${out}/site/i2sb/worker.mjs`);
  server.fault = (path, request, response) => {
    if (path !== '/i2sb/worker.mjs') return false;
    response.setHeader('Content-Type', 'text/javascript');
    response.end(Buffer.concat([Buffer.from("import '/test/dying-gpu.mjs';\n"), original]));
    return true;
  };
  const r = await run(async ({ load, plain }) => {
    const model = await load('/out/tiny.i2sb', { device: 'webgpu' });
    const lost = [];
    model.addEventListener('device-lost', ({ detail }) => lost.push(detail));
    const channel = new BroadcastChannel('gpu');
    let steps = 0;
    const y = await model.restore(plain(24, 24, [120, 90, 60, 255]), {
      steps: 6, output: 'image-data', onStep: () => { if (++steps === 2) channel.postMessage('die'); },
    });
    const device = model.info.device;
    model.dispose();
    return { width: y.width, lost, device };
  });
  server.fault = null;
  assert.equal(r.width, 24);
  assert.equal(r.lost.length, 1);
  assert.equal(r.lost[0].device.kind, 'webgpu');
  assert.ok(r.lost[0].reason.length > 0);
});

test('an adapter that refuses a device', async () => {
  const original = readFileSync(`${out}/site/i2sb/worker.mjs`);
  server.fault = (path, request, response) => {
    if (path !== '/i2sb/worker.mjs') return false;
    response.setHeader('Content-Type', 'text/javascript');
    response.end(Buffer.concat([Buffer.from("import '/test/refusing-gpu.mjs';\n"), original]));
    return true;
  };
  const code = await run(({ load, code }) => code(load('/out/tiny.i2sb', { device: 'webgpu' })));
  server.fault = null;
  assert.equal(code, 'unsupported');
});
