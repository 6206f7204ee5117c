// The page's side: see i2sb.d.ts. All work is done in a worker.
import { carry } from './carry.mjs';
import { I2SBError, aborted, unpack } from './errors.mjs';
import { adapter, relaxedSimd, simd } from './features.mjs';
import { foreign, reachable } from './spawn.mjs';
import * as store from './store.mjs';
import { unshared, usual } from './threads.mjs';

export { I2SBError };
export const version = '0.1.0';

export const cache = { list: store.list, remove: store.remove };

export async function isSupported() {
  const workers = typeof Worker === 'function' && typeof OffscreenCanvas === 'function';
  const wasm = {
    ok: simd() && workers,
    reason: !simd() ? 'this browser has no WebAssembly vectors (SIMD)' : !workers ? 'this browser has no workers with canvases' : '',
    relaxedSimd: relaxedSimd(),
  };
  const gpu = await adapter();
  const webgpu = { ok: Boolean(gpu.adapter), reason: gpu.reason, adapter: gpu.name ?? '', software: gpu.software ?? false };
  const alone = unshared();
  const threads = { ok: !alone, count: alone ? 1 : usual(), reason: alone && `${alone}; one thread is used` };
  const kept = await store.open().then(() => '', (error) => error.message);
  return { supported: wasm.ok, wasm, webgpu, threads, cache: { ok: kept === '', reason: kept } };
}

// ---- loading

export async function load(pack, { device = 'auto', signal, onProgress, cache = 'use', sha256 = '', threads = 0, relaxedSimd = true, base } = {}) {
  check('device', device, ['auto', 'webgpu', 'wasm']);
  check('cache', cache, ['use', 'reload', 'none']);
  if (sha256 && !/^[0-9a-f]{64}$/i.test(sha256)) throw new I2SBError('bad-option', `sha256 ${sha256}: 64 hexadecimal digits`);
  if (signal?.aborted) throw aborted(signal.reason);
  const here = globalThis.location?.href;
  const client = new Client(base && new URL(base, here).href);
  try {
    const info = await client.call('load', {
      source: source(pack, here), device, cache, sha256: sha256.toLowerCase(), threads, relaxedSimd, base: client.base,
    }, { signal, onEvent: onProgress });
    return new Model(client, info);
  } catch (error) {
    // An aborted download closes its files first.
    if (error.code === 'aborted') await Promise.race([client.idle(), new Promise((done) => setTimeout(done, 1000))]);
    client.close();
    throw error;
  }
}

function source(pack, here) {
  if (typeof pack === 'string' || pack instanceof URL) {
    try {
      return new URL(pack, here).href;
    } catch {
      throw new I2SBError('bad-option', `${pack}: not a URL`);
    }
  }
  if (pack instanceof Blob) return pack;
  if (pack instanceof ArrayBuffer || ArrayBuffer.isView(pack)) return new Blob([pack]);
  throw new I2SBError('bad-option', 'a pack is a URL, a File, a Blob, an ArrayBuffer or a Uint8Array');
}

function check(option, value, allowed) {
  if (!allowed.includes(value)) throw new I2SBError('bad-option', `${option} ${value}: there are ${allowed.join(', ')}`);
}

function spawn(base) {
  if (typeof Worker !== 'function') throw new I2SBError('unsupported', 'this browser has no workers');
  const url = base ? new URL('worker.mjs', base) : new URL('./worker.mjs', import.meta.url);
  if (base || foreign(url)) return new Worker(reachable(url), { type: 'module' });
  return new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' }); // in the form that bundlers know
}

/** The worker as calls with promises. */
class Client {
  #worker;
  #calls = new Map();
  #last = 0;
  #ended = null;
  #idle = [];

  constructor(base) {
    this.base = base;
    this.#worker = spawn(base);
    this.#worker.addEventListener('message', ({ data }) => this.#receive(data));
    this.#worker.addEventListener('error', (event) => {
      this.close(new I2SBError('unsupported', `the worker cannot run: ${event.message || 'worker.mjs was not loaded'}`));
    });
  }

  call(op, args, { signal, onEvent, transfer = [] } = {}) {
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(aborted(signal.reason));
    const id = ++this.#last;
    return new Promise((done, failed) => {
      const abort = () => {
        this.#worker.postMessage({ id, op: 'abort' });
        this.#calls.get(id).settled = true;
        failed(aborted(signal.reason));
      };
      signal?.addEventListener('abort', abort, { once: true });
      const free = () => signal?.removeEventListener('abort', abort);
      this.#calls.set(id, {
        onEvent,
        done: (value) => { free(); done(value); },
        failed: (error) => { free(); failed(error); },
      });
      this.#worker.postMessage({ id, op, ...args }, transfer);
    });
  }

  #receive({ id, event, value, error, fatal, lost }) {
    if (lost) {
      this.onLost?.(lost);
      return;
    }
    if (fatal) {
      this.close(unpack(fatal));
      return;
    }
    const call = this.#calls.get(id);
    if (!call) return;
    if (event) {
      if (!call.settled) call.onEvent?.(event);
      else event.preview?.close();
      return;
    }
    this.#calls.delete(id);
    if (call.settled) value?.close?.(); // it was aborted when it was done
    else if (error) call.failed(unpack(error));
    else call.done(value);
    if (this.#calls.size === 0) this.#idle.splice(0).forEach((f) => f());
  }

  /** Settles when the worker has answered every call, aborted ones too. */
  idle() {
    return this.#calls.size === 0 ? Promise.resolve() : new Promise((done) => this.#idle.push(done));
  }

  close(error = new I2SBError('closed', 'the model was disposed of')) {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    for (const call of this.#calls.values()) if (!call.settled) call.failed(error);
    this.#calls.clear();
    this.#idle.splice(0).forEach((f) => f());
  }
}

// ---- a model

class Model extends EventTarget {
  #client;

  constructor(client, info) {
    super();
    this.#client = client;
    this.info = info;
    client.onLost = ({ reason, info: { device } }) => {
      this.info = { ...this.info, device };
      this.dispatchEvent(new CustomEvent('device-lost', { detail: { reason, device } }));
    };
  }

  async restore(picture, { mask, signal, onStep, onWork, preview = false, seed = 0, output = 'bitmap', type, quality, task, steps, sampler, eta, tile, overlap } = {}) {
    check('output', output, ['bitmap', 'image-data', 'blob']);
    if (signal?.aborted) throw aborted(signal.reason);
    const options = {
      task, sampler, output, type, quality, seed: whole('seed', seed), steps: int('steps', steps), eta: number('eta', eta),
      tile: int('tile', tile), overlap: int('overlap', overlap), preview: preview === true ? 512 : int('preview', preview || 0),
    };
    const transfer = [];
    const picked = await carry(picture, 'picture', transfer, signal);
    const hole = mask && await carry(mask, 'mask', transfer, signal);
    return this.#client.call('restore', { picture: picked, mask: hole, options }, {
      signal, transfer,
      onEvent({ stage, ...event }) {
        if (stage === 'step') onStep ? onStep(event) : event.preview?.close();
        else onWork?.(event);
      },
    });
  }

  usage() {
    return this.#client.call('usage', {});
  }

  dispose() {
    this.#client.close();
  }
}

function number(option, value) {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new I2SBError('bad-option', `${option} ${value}: a number`);
  return value;
}

function int(option, value) {
  if (value !== undefined && value !== null && !Number.isSafeInteger(value)) throw new I2SBError('bad-option', `${option} ${value}: a whole number`);
  return value ?? undefined;
}

function whole(option, value) {
  const ok = typeof value === 'bigint' ? value >= 0n && value < 1n << 64n : Number.isSafeInteger(value) && value >= 0;
  if (!ok) throw new I2SBError('bad-option', `${option} ${value}: a whole number from 0 on`);
  return String(value);
}
