// Stands in for the module in tests of the page: the same contract
// (npm/i2sb.d.ts), walks of a few milliseconds, faults on demand. A test sets
// globalThis.fake = {load, restore, info, support, packs} before the page runs,
// and finds in fake.calls what the page has asked for. What a visitor does in
// the middle of a walk is tested while restore.hold = {call, step} holds that
// call of restore there, until fake.go().

const settings = (globalThis.fake ??= {});
const calls = (settings.calls ??= { load: [], restore: [], disposed: 0, removed: [] });

export const version = 'fake';

export class I2SBError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
    this.name = code === 'aborted' ? 'AbortError' : 'I2SBError';
  }
}

const sleep = (ms, signal) => new Promise((resolve, reject) => {
  const stop = () => reject(new I2SBError('aborted', 'aborted'));
  if (signal?.aborted) return stop();
  const t = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => { clearTimeout(t); stop(); }, { once: true });
});

const held = (signal) => new Promise((go, stop) => {
  settings.go = go;
  signal?.addEventListener('abort', () => stop(new I2SBError('aborted', 'aborted')), { once: true });
});

const throwIf = (fault) => { if (fault) throw new I2SBError(fault.code ?? fault, fault.message ?? `a fault of the kind ${fault.code ?? fault}`); };

export async function isSupported() {
  return {
    supported: true,
    wasm: { ok: true, reason: '', relaxedSimd: true },
    webgpu: { ok: false, reason: 'This browser has no WebGPU.', adapter: '', software: false },
    threads: { ok: false, reason: 'More need a page that is cross-origin isolated.', count: 1 },
    cache: { ok: true, reason: '' },
    ...settings.support,
  };
}

const task = (name, more) => ({ name, family: name, description: '', trained: [], sampler: 'posterior', steps: 1, scale: 1, mask: false, ...more });

const info = (device) => ({
  name: 'general', sha256: '51f0b9a1c2d3e4f5'.repeat(4), bytes: 4194814, parameters: 4361475, encoding: 'int8',
  licence: 'CC-BY-SA-4.0', credits: '', provenance: '', metrics: {},
  tasks: [task('jpeg'), task('sr4x', { scale: 4 }), task('deblur')],
  samplers: ['posterior', 'ode', 'i3sb', 'dbim1', 'dbim2', 'dbim3'], maxSteps: 999,
  device: { kind: device === 'webgpu' ? 'webgpu' : 'wasm', name: device === 'webgpu' ? 'Fake adapter' : 'wasm-relaxed', software: false, threads: 1,
    detail: device === 'webgpu' ? 'WebGPU as asked.' : 'The processor: this browser has no WebGPU.' },
  ...settings.info,
});

export async function load(pack, { device = 'auto', signal, onProgress } = {}) {
  const { ms = 30, fail, stallAt, total = 4194814 } = settings.load ?? {};
  calls.load.push({ pack: typeof pack === 'string' ? pack : pack.name, device });
  onProgress?.({ stage: 'initiate', source: String(pack) });
  for (let i = 0; i <= 10; i++) {
    await sleep(i > stallAt ? 1e8 : ms / 10, signal);
    onProgress?.({ stage: 'download', loaded: Math.round(total * i / 10), total, cached: false, resumed: 0 });
    if (i === 5) throwIf(typeof fail === 'function' ? fail(pack, device) : fail);
  }
  onProgress?.({ stage: 'compile' });
  await sleep(ms / 5, signal);
  const model = new Model(info(device));
  onProgress?.({ stage: 'ready', device: model.info.device });
  return (settings.model = model);
}

class Model extends EventTarget {
  #queue = Promise.resolve();
  constructor(info) {
    super();
    this.info = info;
  }

  restore(picture, options = {}) {
    const turn = this.#queue.then(() => this.#restore(picture, options));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #restore(picture, o) {
    const { stepMs = 20, fail, failAt = 0, hold } = settings.restore ?? {};
    const steps = o.steps ?? 1;
    const { mask, signal, onStep, onWork, ...rest } = o;
    calls.restore.push({ ...rest, picture: picture.name, ...(mask && { mask: await draw({ mask }) }) });
    for (let step = 1; step <= steps; step++) {
      for (let i = 1; i <= 4; i++) {
        await sleep(stepMs / 4, signal);
        onWork?.({ fraction: (step - 1 + i / 4) / steps, step, steps, tile: i, tiles: 4 });
      }
      if (step > failAt) throwIf(fail);
      const preview = o.preview ? await draw({ picture, longest: o.preview === true ? 512 : o.preview, done: step / steps, seed: o.seed }) : undefined;
      if (signal?.aborted) throw new I2SBError('aborted', 'aborted');
      onStep?.({ step, steps, preview });
      if (hold?.step === step && hold.call === calls.restore.length) await held(signal);
    }
    const scale = this.info.tasks.find((t) => t.name === o.task)?.scale ?? 1;
    return draw({ picture, scale, seed: o.seed, as: 'blob' });
  }

  dispose() { calls.disposed++; }
}

const waiting = new Map();
let worker;

/** Has draw.mjs do something. */
function draw(what) {
  worker ??= Object.assign(new Worker(new URL('./draw.mjs', import.meta.url), { type: 'module' }), {
    onmessage({ data: { id, value, error } }) {
      const [done, failed] = waiting.get(id);
      if (error) failed(new I2SBError('bad-image', error));
      else done(value);
    },
  });
  const id = waiting.size;
  worker.postMessage({ id, ...what });
  return new Promise((...settle) => waiting.set(id, settle));
}

export const cache = {
  async list() { return (settings.packs ?? []).filter((p) => !calls.removed.includes(p.sha256 || p.url)); },
  async remove(which) { return calls.removed.push(which); },
};
