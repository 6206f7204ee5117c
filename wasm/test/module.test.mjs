// The module's API on the WASM path, in Chromium.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { out, root } from './paths.mjs';
import { serve } from './serve.mjs';
import { frozen, mainThread } from './tasks.mjs';

let server, browser, page;

before(async () => {
  server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out, '/data/': `${root}/testdata` });
  browser = await launch();
  page = await (await browser.newContext()).newPage();
  await page.goto(`${server.url}/test/blank.html`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** Runs f in the page with the module and some helpers (page-helpers.mjs). */
const run = (f, arg) => page.evaluate(`(async (arg) => {
  const i2sb = await import('/i2sb/i2sb.mjs');
  const help = await import('/test/page-helpers.mjs');
  return (${f})({ ...i2sb, ...help }, arg);
})(${JSON.stringify(arg)})`);

/** How many a pack's header lists (weights/FORMAT.md). */
function parameters(file) {
  const pack = readFileSync(file);
  const { tensors } = JSON.parse(pack.subarray(24, 24 + Number(pack.readBigUInt64LE(16))));
  return tensors.reduce((n, t) => n + t.shape.reduce((a, b) => a * b, 1), 0);
}

test('isSupported gives reasons', async () => {
  const s = await run(({ isSupported }) => isSupported());
  assert.equal(s.supported, true);
  assert.deepEqual([s.wasm.ok, s.cache.ok, s.webgpu.ok, s.threads.ok], [true, true, false, false]);
  assert.match(s.webgpu.reason, /adapter|no WebGPU/);
  assert.match(s.threads.reason, /isolated/);
});

test('load tells how it goes on, then works offline', async () => {
  const r = await run(async ({ load, cache }) => {
    const progress = [];
    const start = performance.now();
    const model = await load('/packs/default.i2sb', { onProgress: (p) => progress.push(p) });
    const ready = performance.now() - start;
    const { info } = model;
    model.dispose();
    return { progress, info, ready, list: await cache.list() };
  });
  const stages = r.progress.map((p) => p.stage);
  assert.deepEqual([...new Set(stages)], ['initiate', 'download', 'compile', 'ready']);
  const downloads = r.progress.filter((p) => p.stage === 'download');
  assert.deepEqual(downloads.at(-1), { stage: 'download', loaded: r.info.bytes, total: r.info.bytes, cached: false, resumed: 0 });
  assert.ok(downloads.every((p, i) => i === 0 || p.loaded >= downloads[i - 1].loaded));
  assert.equal(r.info.tasks[0].name, 'jpeg');
  assert.equal(r.info.parameters, parameters(`${out}/site/packs/default.i2sb`));
  assert.match(r.info.device.name, /^wasm/);
  assert.equal(r.info.device.kind, 'wasm');
  assert.match(r.info.device.detail, /one thread \(the page is not cross-origin isolated\)/);
  assert.match(r.info.sha256, /^[0-9a-f]{64}$/);
  assert.equal(r.list.length, 1);
  assert.equal(r.list[0].sha256, r.info.sha256);
  server.log.length = 0;
  const again = await run(async ({ load, cache }) => {
    const progress = [];
    const model = await load('/packs/default.i2sb', { onProgress: (p) => progress.push(p) });
    model.dispose();
    return { info: model.info, cached: progress.find((p) => p.stage === 'download').cached, removed: await cache.remove(model.info.sha256), left: await cache.list() };
  });
  assert.equal(again.cached, true);
  assert.equal(again.info.sha256, r.info.sha256);
  assert.ok(!server.log.some((q) => q.path.startsWith('/packs/')), 'the pack was fetched again');
  assert.equal(again.removed, 1);
  assert.deepEqual(again.left, []);
  console.log(`ready after ${Math.round(r.ready)} ms`);
});

test('the same seed gives the native picture; the page never freezes', async () => {
  const longest = await mainThread(page);
  const r = await run(async ({ load, psnr, pixels }) => {
    const start = performance.now();
    const model = await load('/packs/default.i2sb');
    const ready = performance.now();
    let first = 0;
    const steps = [];
    const bad = await (await fetch('/out/bad.png')).blob();
    const y = await model.restore(bad, {
      steps: 3, seed: 7, output: 'image-data', preview: 100,
      onStep: (s) => { first ||= performance.now(); steps.push([s.step, s.steps, s.preview.width, s.preview.height]); },
    });
    model.dispose();
    const want = await pixels(await (await fetch('/out/native.png')).blob());
    return { psnr: psnr(y, want), steps, ready: ready - start, step: first - start };
  });
  const { busy, wall } = await longest();
  console.log(`${r.psnr.toFixed(1)} dB; ready ${Math.round(r.ready)} ms, first step ${Math.round(r.step)} ms, longest task of the page ${busy.toFixed(1)} ms (${wall.toFixed(1)} by the clock)`);
  assert.ok(r.psnr >= 48, `${r.psnr} dB`);
  assert.deepEqual(r.steps, [[1, 3, 96, 64], [2, 3, 96, 64], [3, 3, 96, 64]]);
  assert.ok(busy <= frozen, `a task of ${busy} ms`);
});

test('pictures of twelve megapixels, however they are given, do not freeze the page', async () => {
  await run(async ({ load }) => {
    const canvas = new OffscreenCanvas(4000, 3000);
    const context = canvas.getContext('2d');
    for (let i = 0; i < 500; i++) {
      context.fillStyle = `hsl(${i} 60% 50%)`;
      context.fillRect((i * 7919) % 4000, (i * 104729) % 3000, 900, 600);
    }
    const blob = await canvas.convertToBlob({ type: 'image/jpeg' });
    const image = Object.assign(new Image(), { src: URL.createObjectURL(blob) });
    await image.decode();
    const element = Object.assign(document.createElement('canvas'), { width: 4000, height: 3000 });
    element.getContext('2d').drawImage(canvas, 0, 0);
    globalThis.large = {
      model: await load('/out/tiny.i2sb'), blob, data: context.getImageData(0, 0, 4000, 3000), bitmap: await createImageBitmap(blob),
      canvas, element, image, frame: new VideoFrame(canvas, { timestamp: 0 }),
    };
  });
  const took = [];
  for (const kind of ['blob', 'data', 'bitmap', 'canvas', 'element', 'image', 'frame']) {
    const longest = await mainThread(page);
    const ended = await page.evaluate(async (kind) => {
      const c = new AbortController();
      return large.model.restore(large[kind], { tile: 32, signal: c.signal, onWork: () => c.abort() }).catch((e) => e.code);
    }, kind);
    const { busy } = await longest();
    assert.equal(ended, 'aborted');
    took.push(`${kind} ${busy.toFixed(1)}`);
    assert.ok(busy <= frozen, `${kind}: a task of ${busy} ms`);
  }
  await page.evaluate(() => { large.model.dispose(); large.frame.close(); delete globalThis.large; });
  console.log(`longest tasks of the page in ms of the processor: ${took.join(', ')}`);
});

test('every kind of picture and of result', async () => {
  const r = await run(async ({ load, psnr, pixels, canvasOf }) => {
    const model = await load('/out/tiny.i2sb');
    const blob = await (await fetch('/data/canyon-wren.jpg')).blob();
    const canvas = await canvasOf(blob, 37, 29);
    const data = canvas.getContext('2d').getImageData(0, 0, 37, 29);
    const bitmap = await createImageBitmap(canvas);
    const element = Object.assign(document.createElement('canvas'), { width: 37, height: 29 });
    element.getContext('2d').drawImage(canvas, 0, 0);
    const png = await canvas.convertToBlob();
    const image = Object.assign(new Image(), { src: URL.createObjectURL(png) });
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    const want = await model.restore(data, { output: 'image-data', seed: 5n });
    const same = {};
    for (const [name, picture] of Object.entries({ bitmap, element, canvas, image, frame, png })) {
      same[name] = psnr(await model.restore(picture, { output: 'image-data', seed: 5 }), want);
    }
    const back = await model.restore(data, { seed: 5 });
    const file = await model.restore(data, { seed: 5, output: 'blob' });
    const jpeg = await model.restore(data, { output: 'blob', type: 'image/jpeg', quality: 0.8 });
    const out = {
      same, kept: bitmap.width === 37 && data.data.length === 37 * 29 * 4, bitmap: psnr(await pixels(back), want), blob: psnr(await pixels(file), want),
      types: [back.constructor.name, file.type, jpeg.type], other: psnr(...await Promise.all([6, 7].map((seed) => model.restore(data, { output: 'image-data', steps: 3, seed })))),
    };
    model.dispose();
    return out;
  });
  // JSON has no infinity: null says that all pixels agree.
  const exact = (v) => v === null || v === Infinity;
  for (const kind of ['bitmap', 'element', 'canvas', 'image', 'png']) assert.ok(exact(r.same[kind]), `${kind}: ${r.same[kind]} dB`);
  assert.ok(exact(r.same.frame) || r.same.frame > 35, `frame: ${r.same.frame} dB`); // may pass through YUV
  assert.ok(exact(r.bitmap) && exact(r.blob) && r.kept);
  assert.ok(r.other < 60 && r.other !== null, 'another seed gave the same picture');
  assert.deepEqual(r.types, ['ImageBitmap', 'image/png', 'image/jpeg']);
});

test('a large picture passes in strips with all its pixels, alpha too', async () => {
  const r = await run(async ({ plain }) => {
    const { carry } = await import('/i2sb/carry.mjs');
    const { read } = await import('/i2sb/pixels.mjs');
    const [width, height] = [1031, 2040]; // three strips
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    context.putImageData(plain(width, height, [200, 90, 40, 255]), 0, 0);
    for (let i = 0; i < 200; i++) {
      context.clearRect((i * 7919) % width, (i * 104729) % height, 9, 7);
      context.fillStyle = `hsl(${i} 60% 50% / ${(i % 10) / 10})`;
      context.fillRect((i * 104729) % width, (i * 7919) % height, 60, 80);
    }
    const data = context.getImageData(0, 0, width, height);
    const blob = await canvas.convertToBlob();
    const image = Object.assign(new Image(), { src: URL.createObjectURL(blob) });
    const revoked = Object.assign(new Image(), { src: URL.createObjectURL(blob) });
    await Promise.all([image.decode(), revoked.decode()]);
    URL.revokeObjectURL(revoked.src);
    const aborted = new AbortController();
    const stalls = (url, { signal }) => new Promise((_, failed) => {
      signal.addEventListener('abort', () => failed(signal.reason));
      aborted.abort();
    });
    const { fetch } = globalThis;
    const out = {};
    for (const [name, picture] of Object.entries({ data, blob, bitmap: await createImageBitmap(canvas), canvas, image, revoked, stalled: image })) {
      const transfer = [];
      if (name === 'stalled') globalThis.fetch = stalls;
      const carried = await carry(picture, 'picture', transfer, aborted.signal);
      globalThis.fetch = fetch;
      const got = await read(carried);
      out[name] = {
        parts: carried.strips?.length ?? 'file', transferred: transfer.length, size: [got.width, got.height],
        other: got.data.reduce((n, v, i) => n + (v !== data.data[i]), Math.abs(got.data.length - data.data.length)),
      };
    }
    return out;
  });
  const parts = { data: 3, blob: 'file', bitmap: 3, canvas: 3, image: 'file', revoked: 3, stalled: 3 };
  for (const [kind, got] of Object.entries(r)) {
    assert.deepEqual(got, { parts: parts[kind], transferred: parts[kind] === 'file' ? 0 : 3, size: [1031, 2040], other: 0 }, kind);
  }
});

test('sr4x, alpha and masks', async () => {
  const r = await run(async ({ load, plain }) => {
    const model = await load('/packs/default.i2sb', { cache: 'none' });
    const big = await model.restore(plain(20, 12, [200, 100, 50, 255]), { task: 'sr4x', output: 'image-data' });
    const see = plain(16, 16, [200, 100, 50, 255]);
    for (let i = 3; i < see.data.length; i += 4) see.data[i] = i % 256;
    const alpha = await model.restore(see, { output: 'image-data' });
    const wrong = await model.restore(see, { mask: plain(15, 16, [255, 255, 255, 255]) }).catch((e) => e);
    const hole = { width: 16, height: 16, data: new Uint8Array(256).fill(0) };
    const known = await model.restore(see, { mask: hole, output: 'image-data' });
    model.dispose();
    return {
      size: [big.width, big.height], alpha: alpha.data.every((v, i) => i % 4 !== 3 || v === see.data[i]), wrong: [wrong.code, wrong.message],
      known: known.data.every((v, i) => v === see.data[i]),
    };
  });
  assert.deepEqual(r.size, [80, 48]);
  assert.equal(r.alpha, true);
  assert.equal(r.wrong[0], 'bad-image');
  assert.match(r.wrong[1], /15×16/);
  assert.equal(r.known, true, 'pixels that are known have changed');
});

test('calls queue, and each can be aborted at every stage', async () => {
  const r = await run(async ({ load, plain, code }) => {
    const stages = {};
    const gone = new AbortController();
    gone.abort();
    stages.beforeLoad = await code(load('/out/tiny.i2sb', { signal: gone.signal }));
    for (const stage of ['initiate', 'download', 'compile']) {
      const c = new AbortController();
      const p = load('/packs/default.i2sb', { cache: 'none', signal: c.signal, onProgress: (e) => e.stage === stage && c.abort() });
      stages[stage] = await code(p);
    }
    const model = await load('/packs/default.i2sb');
    const picture = plain(256, 256, [90, 120, 30, 255]);
    stages.beforeRestore = await code(model.restore(picture, { signal: gone.signal }));
    let start = performance.now();
    await model.restore(picture, { steps: 1 });
    const step = performance.now() - start;
    const walking = new AbortController();
    const waiting = new AbortController();
    const began = [];
    const first = model.restore(picture, { steps: 100, signal: walking.signal, onWork: (w) => { if (w.fraction > 0) walking.abort(); } });
    const second = model.restore(picture, { signal: waiting.signal });
    const third = model.restore(plain(64, 64, [1, 2, 3, 255]), { output: 'image-data', onStep: () => began.push('third') });
    waiting.abort();
    stages.waiting = await code(second);
    stages.walking = await code(first);
    start = performance.now();
    await third;
    const free = (performance.now() - start) / step;
    const c = new AbortController();
    const between = code(model.restore(picture, { steps: 4, signal: c.signal, onStep: () => c.abort() }));
    stages.between = await between;
    const reason = new AbortController();
    const error = await model.restore(picture, { signal: (reason.abort('why'), reason.signal) }).catch((e) => e);
    model.dispose();
    return { stages, began, free, name: error.name, cause: error.cause, closed: await code(model.restore(picture)) };
  });
  for (const [stage, code] of Object.entries(r.stages)) assert.equal(code, 'aborted', stage);
  assert.deepEqual([r.name, r.cause], ['AbortError', 'why']);
  assert.deepEqual(r.began, ['third']);
  assert.ok(r.free < 30, `the worker went on for ${r.free} of 100 steps`);
  assert.equal(r.closed, 'closed');
});

test('dispose rejects what runs', async () => {
  const r = await run(async ({ load, plain, code }) => {
    const model = await load('/out/tiny.i2sb');
    const first = await code(model.restore(plain(64, 64, [1, 2, 3, 255]), { steps: 400, onStep: () => model.dispose() }));
    model.dispose();
    return [first, await code(model.restore(plain(8, 8, [0, 0, 0, 255])))];
  });
  assert.deepEqual(r, ['closed', 'closed']);
});

test('options and pictures that cannot be used', async () => {
  const r = await run(async ({ load, plain, code }) => {
    const model = await load('/out/tiny.i2sb');
    const p = plain(32, 32, [1, 2, 3, 255]);
    const codes = {
      task: await code(model.restore(p, { task: 'cooking' })), sampler: await code(model.restore(p, { sampler: 'none' })),
      steps: await code(model.restore(p, { steps: 0 })), half: await code(model.restore(p, { steps: 1.5 })), seed: await code(model.restore(p, { seed: -1 })),
      big: await code(model.restore(p, { seed: 1n << 64n })), tile: await code(model.restore(p, { tile: 1 })), output: await code(model.restore(p, { output: 'gif' })),
      type: await code(model.restore(p, { output: 'blob', type: 'image/nonsense' })), device: await code(load('/out/tiny.i2sb', { device: 'abacus' })),
      sha256: await code(load('/out/tiny.i2sb', { sha256: '12' })), empty: await code(model.restore(new Blob([]))),
      text: await code(model.restore(new Blob(['hello'], { type: 'image/png' }))), thing: await code(model.restore({})), nothing: await code(model.restore()),
      other: await code(load('/out/tiny.i2sb', { sha256: '0'.repeat(64) })),
      still: await code(model.restore(p)),
    };
    model.dispose();
    return codes;
  });
  const option = ['task', 'sampler', 'steps', 'half', 'seed', 'big', 'tile', 'output', 'type', 'device', 'sha256'];
  for (const name of option) assert.equal(r[name], 'bad-option', name);
  for (const name of ['empty', 'text', 'thing', 'nothing']) assert.equal(r[name], 'bad-image', name);
  assert.equal(r.other, 'bad-pack');
  assert.equal(r.still, 'ok');
});
