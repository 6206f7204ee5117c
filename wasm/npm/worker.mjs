// The worker of one model: keeps the page free while Go computes.
import { start } from './engine.mjs';
import { I2SBError, aborted, pack } from './errors.mjs';
import { adapter } from './features.mjs';
import { read, readMask, writable, write } from './pixels.mjs';
import { Download, Local } from './source.mjs';
import * as store from './store.mjs';
import { unshared } from './threads.mjs';

let engine; // promise of the engine
let fatal; // why the engine ended
let opened; // what load was asked for, to do it again on another device
let queue = Promise.resolve();
const running = new Map(); // id → AbortController

const end = (error) => {
  fatal ??= error instanceof I2SBError ? error : new I2SBError('internal', String(error?.message ?? error));
  postMessage({ fatal: pack(fatal) });
};

addEventListener('error', (event) => end(new I2SBError('internal', event.message)));
addEventListener('unhandledrejection', (event) => end(new I2SBError('internal', String(event.reason?.message ?? event.reason))));

addEventListener('message', ({ data: { id, op, ...args } }) => {
  if (op === 'abort') {
    running.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(id, controller);
  // One call after another; a call that was aborted while it waited is skipped.
  queue = queue.then(() => serve(id, op, args, controller.signal)).finally(() => running.delete(id));
});

async function serve(id, op, args, signal) {
  const tell = (event, transfer = []) => postMessage({ id, event }, transfer);
  try {
    if (fatal) throw fatal;
    if (signal.aborted) throw aborted();
    const { value, transfer = [] } = await { load, restore, usage }[op](args, signal, tell);
    postMessage({ id, value }, transfer);
  } catch (error) {
    postMessage({ id, error: pack(error) });
  }
}

/** Calls a function of the Go module; an abort is passed on. */
function call(calls, name, signal, ...args) {
  return new Promise((done, failed) => {
    const abort = () => calls.abort();
    signal.addEventListener('abort', abort, { once: true });
    calls[name](...args, (error, value) => {
      signal.removeEventListener('abort', abort);
      if (error) failed(new I2SBError(error.code, error.message));
      else done(value);
    });
  });
}

// ---- loading

async function load(order, signal, tell) {
  const { base, relaxedSimd, device } = order;
  // A GPU has the work done elsewhere, and is not given shared memory.
  const gpu = device === 'webgpu' || device === 'auto' && !unshared() && await usable();
  engine = start({ base, relaxed: relaxedSimd, threads: gpu ? 1 : order.threads, onEnd: end });
  engine.catch(() => {});
  opened = order;
  return { value: await choose(order, signal, tell) };
}

const usable = async () => {
  const { reason, software } = await adapter();
  return !reason && !software;
};

/** Opens the pack on the device asked for: auto takes a real GPU, else WASM. */
async function choose({ device, ...order }, signal, tell, why = '') {
  if (device !== 'wasm') {
    const { reason, software, name } = await adapter();
    if (device === 'webgpu' && reason) throw new I2SBError('unsupported', reason);
    if (!reason && (device === 'webgpu' || !software)) {
      try {
        return await fetched({ ...order, device: 'gpu' }, signal, tell);
      } catch (error) {
        if (device === 'webgpu' || !['device-lost', 'out-of-memory', 'unsupported', 'internal'].includes(error.code)) throw error;
        why = `WebGPU failed (${error.message})`;
      }
    }
    why ||= reason || `the only WebGPU adapter is software (${name})`;
  }
  return fetched({ ...order, device: 'cpu', why }, signal, tell);
}

/** Opens the pack from wherever it is; what was kept and is damaged is fetched anew. */
async function fetched({ source, cache, sha256, device, why }, signal, tell) {
  for (let fresh = cache === 'reload'; ; fresh = true) {
    const pack = typeof source === 'string' ? await remote(source, { cache, fresh, sha256, signal, tell }) : local(source, tell);
    try {
      return await open(pack, { device, why, sha256, signal, tell });
    } catch (error) {
      const again = error.code === 'bad-pack' && !fresh && (pack.source.resumed > 0 || Boolean(pack.cached));
      await pack.fail?.(error, again);
      if (!again) throw error;
    }
  }
}

function local(blob, tell) {
  const name = blob.name ?? 'the pack';
  tell({ stage: 'initiate', source: name });
  tell({ stage: 'download', loaded: blob.size, total: blob.size, cached: true, resumed: 0 });
  return { name, source: new Local(blob) };
}

/** A pack by URL: from the store, or downloaded into it where that is possible. */
async function remote(url, { cache, fresh, sha256, signal, tell }) {
  tell({ stage: 'initiate', source: url });
  let entry, part;
  if (cache !== 'none') {
    try {
      entry = await store.Entry.of(await store.open(), url);
      const kept = !fresh && await entry.file(sha256 || undefined);
      if (kept) {
        tell({ stage: 'download', loaded: kept.size, total: kept.size, cached: true, resumed: 0 });
        entry.note({ used: Date.now() }).catch(() => {});
        return { name: url, source: new Local(kept), cached: sha256 || entry.about.sha256, fail: (_, again) => again && entry.forget() };
      }
      part = await entry.part();
      if (fresh) part.clear();
    } catch {
      part = null; // no storage, or another tab has it: without
    }
  }
  const source = new Download(url, {
    part, signal, tag: part ? entry.about.tag : '',
    onBytes: ({ have, size, resumed }) => tell({ stage: 'download', loaded: have, total: size, cached: false, resumed }),
    onTag: ({ tag, size }) => part && entry.note({ tag, total: size, sha256: '' }).catch(() => {}),
  });
  return {
    name: url,
    source,
    async keep(sum) {
      if (!part) return;
      try {
        if (source.full) throw new Error('the storage is full');
        await entry.keep(part, sum);
      } catch {
        await entry.forget().catch(() => {});
      }
    },
    async fail(error) {
      part?.close();
      if (part && error.code === 'bad-pack') await entry.forget().catch(() => {});
    },
  };
}

async function open({ name, source, cached, keep }, { device, why, sha256, signal, tell }) {
  // What was kept was summed when it came; every chunk has its own checksum.
  const [{ calls, kernels, alone }] = await Promise.all([engine, source.open?.()]);
  const sum = cached ? Promise.resolve(cached) : source.sha256(calls.hash);
  sum.catch(() => {});
  sum.then(() => tell({ stage: 'compile' }), () => {});
  const info = JSON.parse(await call(calls, 'load', signal, source, name, device));
  const got = await sum;
  if (sha256 && got !== sha256) {
    throw new I2SBError('bad-pack', `${name}: its SHA-256 is ${got}, ${sha256} was wanted`);
  }
  await keep?.(got);
  if (info.device.kind === 'wasm') {
    info.device.name = kernels;
    if (alone) info.device.detail += ` (${alone})`;
  }
  if (why) info.device.detail += `; ${why}`;
  tell({ stage: 'ready', device: info.device });
  return { ...info, sha256: got, bytes: source.size };
}

/** What the worker holds, and not what Go has yet to collect; for tests of leaks. */
async function usage(_, signal) {
  const { calls, usage } = await engine;
  await call(calls, 'collect', signal);
  return { value: usage() };
}

// ---- restoring

async function restore({ picture, mask, options }, signal, tell) {
  const { width, height, data } = await read(picture);
  const hole = mask ? await readMask(mask, width, height) : null;
  const { output, type, quality, ...rest } = options;
  const scale = rest.task?.startsWith('sr4x') ? 4 : 1;
  writable(scale * width, scale * height, options);
  const order = JSON.stringify({ ...rest, width, height });
  for (let tries = 0; ; tries++) {
    if (signal.aborted) throw aborted();
    try {
      return await write(await walk(order, data, hole, signal, tell), { output, type, quality });
    } catch (error) {
      if (error.code !== 'device-lost' || tries === 2) throw error;
      // Once more on the GPU, if there is one again; after that without it.
      const device = tries === 0 ? opened.device : 'wasm';
      if (opened.device === 'webgpu' && device === 'wasm') throw error;
      const info = await choose({ ...opened, cache: opened.cache === 'reload' ? 'use' : opened.cache, device }, signal, () => {}, `the GPU was lost (${error.message})`);
      postMessage({ lost: { reason: error.message, info } });
    }
  }
}

async function walk(order, data, hole, signal, tell) {
  const { calls } = await engine;
  let told = Promise.resolve(); // previews take a moment, and order matters
  const onStep = (step, steps, shown) => {
    told = told.then(async () => {
      const event = { stage: 'step', step, steps };
      if (shown) event.preview = await createImageBitmap(new ImageData(shown.data, shown.width, shown.height));
      tell(event, shown ? [event.preview] : []);
    });
  };
  const onWork = (fraction, step, steps, tile, tiles) => tell({ stage: 'work', fraction, step, steps, tile, tiles });
  const result = await call(calls, 'restore', signal, order, data, hole, onStep, onWork);
  await told;
  return result;
}
