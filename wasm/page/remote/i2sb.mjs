// Takes the module's place under i2sb/ when `i2sb-run serve` serves the page:
// the same contract (npm/i2sb.d.ts), but pictures are sent to the server.
import { events } from './events.mjs';
import { whiteOnBlack } from './mask.mjs';

export class I2SBError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
    this.name = code === 'aborted' ? 'AbortError' : 'I2SBError';
  }
}

// The server's codes, as the page explains them; others are its own.
const codes = {
  'bad-picture': 'bad-image', 'too-many-bytes': 'too-large', 'too-many-pixels': 'too-large', 'queue-full': 'busy', closing: 'busy',
  deadline: 'too-slow', 'bad-parameter': 'bad-option', 'no-such-model': 'bad-pack', unauthorized: 'unauthorized', 'device-failed': 'device-lost',
};

const server = new URL('../', import.meta.url);

/** Asks the server, with the token that the visitor gave for this tab. */
async function ask(path, { signal, ...options } = {}) {
  for (;;) {
    const token = sessionStorage.getItem('i2sb-token');
    let response;
    try {
      response = await fetch(new URL(path, server), { ...options, signal, headers: { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) } });
    } catch (e) {
      throw signal?.aborted ? new I2SBError('aborted', 'aborted') : new I2SBError('network', e.message);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({ code: 'internal', detail: `the server answers ${response.status}` }));
    if (problem.code !== 'unauthorized') throw refused(problem);
    const given = prompt('This server asks for a token.', '');
    if (!given) throw refused(problem);
    sessionStorage.setItem('i2sb-token', given.trim());
  }
}

const refused = ({ code, detail }) => new I2SBError(codes[code] ?? 'internal', `${code}: ${detail}`);

export async function isSupported() {
  const none = { ok: false, reason: '' };
  const { models } = await (await ask('v1/models')).json();
  return { supported: true, wasm: { ok: true, reason: '', relaxedSimd: false }, webgpu: { ...none, adapter: '', software: false },
    threads: { ...none, count: 1 }, cache: { ok: false, reason: 'the server has the models.' }, models: models.map((m) => m.name) };
}

/** Nothing is kept here. */
export const cache = { list: async () => [], remove: async () => {} };

/** Finds one of the server's models: packs/NAME.i2sb stands for NAME. */
export async function load(pack, { signal, onProgress } = {}) {
  const source = String(pack);
  onProgress?.({ stage: 'initiate', source });
  if (typeof pack !== 'string') throw new I2SBError('bad-pack', 'this server uses the models that it has; it takes none from a file');
  const name = decodeURIComponent(source.split('/').pop()).replace(/\.i2sb$/, '');
  const { models } = await (await ask('v1/models', { signal })).json();
  const found = models.find((m) => m.name === name);
  if (!found) throw new I2SBError('bad-pack', `the server has no model ${name}; it has ${models.map((m) => m.name).join(', ')}`);
  const device = { kind: 'server', name: location.host, detail: `Pictures are sent to ${location.host}, which restores them.`, software: false, threads: 1 };
  onProgress?.({ stage: 'ready', device });
  return new Model(found, device);
}

class Model extends EventTarget {
  #name;

  constructor({ name, pack, ...rest }, device) {
    super();
    this.#name = name;
    this.info = { sha256: '', bytes: 0, encoding: '', licence: '', credits: '', provenance: '', metrics: {}, ...rest, name: pack, device };
  }

  async restore(picture, { signal, mask, preview, onStep, task, steps, sampler, seed, tile } = {}) {
    const query = new URLSearchParams({ model: this.#name, previews: Boolean(preview) });
    for (const [k, v] of Object.entries({ task, steps, sampler, seed, tile })) if (v !== undefined) query.set(k, v);
    let body = picture;
    if (mask) {
      body = new FormData();
      body.append('image', picture, 'image');
      body.append('mask', await whiteOnBlack(mask), 'mask.png');
    }
    const response = await ask(`v1/restore?${query}`, { method: 'POST', body, signal, headers: { Accept: 'text/event-stream' } });
    let at = { step: 0, steps };
    try {
      for await (const { name, data } of events(response.body)) {
        if (name === 'step') onStep?.(at = { step: data.done, steps: data.of });
        else if (name === 'preview' && preview) onStep?.({ ...at, preview: await createImageBitmap(blob(data)) });
        else if (name === 'error') throw refused(data);
        else if (name === 'result') return blob(data);
      }
    } catch (e) {
      if (e instanceof I2SBError) throw e;
      throw signal?.aborted ? new I2SBError('aborted', 'aborted') : new I2SBError('network', e.message);
    }
    throw new I2SBError('network', 'the answer ends before its result');
  }

  dispose() {}
}

const blob = ({ type, data }) => new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type });
