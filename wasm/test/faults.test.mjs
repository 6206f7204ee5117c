// What goes wrong: networks, storage, packs, pictures, GPUs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { out } from './paths.mjs';
import { png } from './png.mjs';
import { send, serve } from './serve.mjs';

let server, browser;
const packFile = `${out}/site/packs/default.i2sb`;
const pack = readFileSync(packFile);

before(async () => {
  server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out });
  browser = await launch({ args: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] });
});

after(async () => {
  await browser?.close();
  server?.close();
});

afterEach(() => {
  server.fault = null;
  server.log.length = 0;
});

/** A page of its own, whose storage is empty. */
async function visit(context, url = server.url) {
  context ??= await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/test/blank.html`);
  page.run = (f, arg) => page.evaluate(`(async (arg) => {
    const i2sb = await import('/i2sb/i2sb.mjs');
    const help = await import('/test/page-helpers.mjs');
    return (${f})({ ...i2sb, ...help }, arg);
  })(${JSON.stringify(arg)})`);
  return page;
}

/** Serves the pack's first n bytes to the first who asks, and no more until the page, which has them, asks to cut the line. */
async function cut(page, n) {
  let line = null;
  server.fault = (path, request, response) => {
    if (!path.startsWith('/packs/') || line) return false;
    line = request.socket;
    response.writeHead(200, { 'Content-Length': pack.length, ETag: '"one"', 'Content-Type': 'application/octet-stream' });
    response.write(pack.subarray(0, n));
    return true;
  };
  await page.exposeFunction('came', (loaded) => { if (loaded >= n) line.destroy(); });
}

/** Serves other bytes in place of the pack. */
const instead = (bytes, status = 200, type = 'application/octet-stream') => (path, request, response) => {
  if (!path.startsWith('/packs/')) return false;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length, ETag: '"other"' }).end(bytes);
  return true;
};

const loads = async ({ load, plain }) => {
  const progress = [];
  try {
    const model = await load('/packs/default.i2sb', { onProgress: (p) => { if (p.stage === 'download') { progress.push(p); globalThis.came?.(p.loaded); } } });
    const y = await model.restore(plain(32, 32, [9, 8, 7, 255]), { output: 'image-data' });
    model.dispose();
    return { ok: y.width === 32, sha256: model.info.sha256, progress };
  } catch (error) {
    return { code: error.code, message: error.message, progress };
  }
};

const random = Math.floor(Math.random() * (pack.length - 2)) + 1;

test(`a download cut at byte ${random} goes on by itself`, async () => {
  const page = await visit();
  await cut(page, random);
  const r = await page.run(loads);
  assert.equal(r.ok, true, r.message);
  const ranges = server.log.filter((q) => q.path.startsWith('/packs/')).map((q) => q.range);
  assert.equal(ranges.length, 2);
  assert.match(ranges[1], /^bytes=\d+-$/);
  await page.context().close();
});

test('a download that was aborted is resumed by the next page', async () => {
  const context = await browser.newContext();
  const first = await visit(context);
  server.fault = (path, request, response) => { // a line that stalls half way
    if (!path.startsWith('/packs/')) return false;
    response.writeHead(200, { 'Content-Length': pack.length, ETag: `"${pack.length}-x"` });
    response.write(pack.subarray(0, 2_000_000));
    return true;
  };
  const code = await first.run(async ({ load, code }) => {
    const c = new AbortController();
    return code(load('/packs/default.i2sb', { signal: c.signal, onProgress: (p) => p.loaded >= 1_500_000 && c.abort() }));
  });
  assert.equal(code, 'aborted');
  // The worker closes its file a moment after the page has heard of the abort.
  const list = await first.run(async ({ cache, until }) => {
    await until(async () => (await cache.list())[0]?.bytes >= 1_500_000);
    return cache.list();
  });
  assert.equal(list.length, 1);
  assert.equal(list[0].complete, false);
  assert.ok(list[0].bytes >= 1_500_000, `${list[0].bytes} bytes were kept`);
  await first.close();
  server.fault = (path, request, response) => {
    if (!path.startsWith('/packs/')) return false;
    delete request.headers['if-range'];
    send(packFile, { size: pack.length, mtimeMs: 'x' }, request, response);
    return true;
  };
  const second = await visit(context);
  const r = await second.run(loads);
  assert.equal(r.ok, true, r.message);
  assert.ok(r.progress[0].resumed >= 1_500_000, JSON.stringify(r.progress[0]));
  await context.close();
});

test('what was kept and does not fit is fetched anew', async () => {
  const context = await browser.newContext();
  const first = await visit(context);
  const other = Buffer.from(pack);
  other.fill(7, 100_000, 200_000);
  server.fault = (path, request, response) => {
    if (!path.startsWith('/packs/')) return false;
    response.writeHead(200, { 'Content-Length': pack.length });
    response.write(other.subarray(0, 500_000));
    return true;
  };
  await first.run(async ({ load, code }) => {
    const c = new AbortController();
    return code(load('/packs/default.i2sb', { signal: c.signal, onProgress: (p) => p.loaded >= 500_000 && c.abort() }));
  });
  server.fault = null;
  const r = await first.run(loads);
  assert.equal(r.ok, true, r.message);
  await context.close();
});

test('damaged, foreign and missing packs', async () => {
  const page = await visit();
  const flipped = Buffer.from(pack);
  flipped[3_000_000] ^= 1;
  const hostile = Buffer.from(pack.subarray(0, 64));
  hostile.writeBigUInt64LE(1n << 60n, 16);
  const cases = [
    [instead(flipped), 'bad-pack', /damaged/],
    [instead(Buffer.from('<!doctype html><title>404</title>'), 200, 'text/html'), 'bad-pack', /not an \.i2sb pack/],
    [instead(Buffer.alloc(0)), 'bad-pack', /pack/],
    [instead(hostile), 'bad-pack', /header/],
    [instead(pack.subarray(0, 1_000_000)), 'bad-pack', /file|cut/],
    [instead(Buffer.from('gone'), 404), 'network', /404/],
    [instead(Buffer.from('gone'), 500), 'network', /500/],
  ];
  for (const [fault, code, message] of cases) {
    server.fault = fault;
    const r = await page.run(loads);
    assert.equal(r.code, code, `${JSON.stringify(r)} in place of ${message}`);
    assert.match(r.message, message);
  }
  assert.deepEqual((await page.run(({ cache }) => cache.list())).filter((e) => e.complete), []);
  server.fault = null;
  assert.equal((await page.run(loads)).ok, true);
  await page.context().close();
});

test('without storage: an insecure page', async () => {
  const page = await visit(null, server.url.replace('127.0.0.1', 'insecure.test'));
  const s = await page.run(({ isSupported }) => isSupported());
  assert.deepEqual([s.supported, s.cache.ok, s.webgpu.ok], [true, false, false]);
  assert.match(s.cache.reason, /secure/);
  const r = await page.run(loads);
  assert.equal(r.ok, true, r.message);
  assert.deepEqual(await page.run(({ cache }) => cache.list()), []);
  await page.context().close();
});

test('with storage that is full', async () => {
  const page = await visit();
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 1_000_000 });
  const r = await page.run(loads);
  assert.equal(r.ok, true, r.message);
  assert.deepEqual((await page.run(({ cache }) => cache.list())).filter((e) => e.complete), []);
  await page.context().close();
});

test('two tabs load at the same time, one of them hidden', async () => {
  const context = await browser.newContext();
  const [a, b] = [await visit(context), await visit(context)];
  const [x, y] = await Promise.all([a.run(loads), b.run(loads)]);
  assert.deepEqual([x.ok, y.ok], [true, true], `${x.message} ${y.message}`);
  const list = await a.run(({ cache }) => cache.list());
  assert.deepEqual(list.map((e) => e.complete), [true]);
  await context.close();
});

test('without WebGPU', async () => {
  const page = await visit();
  const r = await page.run(async ({ load }) => {
    const error = await load('/out/tiny.i2sb', { device: 'webgpu' }).catch((e) => e);
    const model = await load('/out/tiny.i2sb', { device: 'auto' });
    model.dispose();
    return { code: error.code, message: error.message, device: model.info.device };
  });
  assert.equal(r.code, 'unsupported');
  assert.match(r.message, /adapter|WebGPU/);
  assert.equal(r.device.kind, 'wasm');
  assert.match(r.device.detail, /adapter|WebGPU/);
  await page.context().close();
});

test('a picture that is too large gives a clear error', async () => {
  const page = await visit();
  const r = await page.run(async ({ load, code }) => {
    const model = await load('/packs/default.i2sb');
    const error = await model.restore(new ImageData(8000, 6000), { task: 'sr4x' }).catch((e) => e);
    const still = await code(model.restore(new ImageData(16, 16)));
    model.dispose();
    return { code: error.code, message: error.message, still };
  });
  assert.equal(r.code, 'out-of-memory');
  assert.match(r.message, /32000×24000/);
  assert.equal(r.still, 'ok');
  await page.context().close();
});

test('a picture wider than any canvas is read, and the limit of its file is named', async () => {
  const page = await visit();
  const [width, height] = [70_000, 2];
  const value = (x, y) => (x + 7 * y) % 251;
  server.fault = (path, request, response) => path === '/wide.png' && response.writeHead(200, { 'Content-Type': 'image/png' }).end(png(width, height, value));
  const r = await page.run(async ({ load }) => {
    const model = await load('/out/tiny.i2sb');
    const wide = await (await fetch('/wide.png')).blob();
    const known = { width: 70_000, height: 2, data: new Uint8Array(140_000) }; // all of it, and so it stays
    const y = await model.restore(wide, { mask: known, tile: 32, output: 'image-data' });
    const began = [];
    const errors = await Promise.all([{}, { task: 'sr4x' }].map((more) => model.restore(wide, { output: 'blob', onWork: (w) => began.push(w), ...more }).catch((e) => [e.code, e.message])));
    model.dispose();
    return { width: y.width, height: y.height, at: [0, 8191, 8192, 65_535, 65_536, 69_999, 70_000, 139_999].map((i) => y.data[4 * i]), errors, began };
  });
  assert.deepEqual([r.width, r.height], [width, height]);
  assert.deepEqual(r.at, [0, 8191, 8192, 65_535, 65_536, 69_999, 70_000, 139_999].map((i) => value(i % width, Math.floor(i / width))));
  for (const [code, message] of r.errors) {
    assert.equal(code, 'out-of-memory');
    assert.match(message, /width of 65535/);
  }
  assert.deepEqual(r.began, []);
  await page.context().close();
});
