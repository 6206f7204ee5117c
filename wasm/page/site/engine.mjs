// The module, and the model that it has open. Another pack or device is opened
// first and takes the old one's place when it is ready, so that a pack that
// cannot be used costs nothing.
import { PageError } from './errors.mjs';

export const builtin = new URL('packs/default.i2sb', document.baseURI).href;

export class Engine extends EventTarget {
  state = 'idle'; // loading, ready, failed
  model = null;
  support = null;
  error = null; // of the last load
  progress = null; // of the module's, while loading
  pack = builtin; // a URL, or a File
  device = 'auto';
  #module = null;
  #loading = null; // {abort, promise}

  /** isSupported, load, cache. Imported late: a browser that cannot run it still gets a page that says so. */
  async module() {
    return (this.#module ??= await import('./i2sb/i2sb.mjs').catch((e) => {
      throw new PageError(navigator.onLine ? 'internal' : 'network', `i2sb.mjs: ${e.message}`);
    }));
  }

  /** Loads what is named, or what was loaded last. It does not throw: see ready. */
  load({ pack = this.pack, device = this.device, ...options } = {}) {
    this.#loading?.abort.abort();
    const abort = new AbortController();
    this.#loading = { abort, promise: this.#load(pack, device, abort.signal, options) };
    this.#loading.promise.catch(() => {}); // told by the event, and by ready()
    return this.#loading.promise;
  }

  /** The model, waiting for a load under way; throws its error, or an AbortError. */
  async ready(signal) {
    if (this.model && this.state !== 'loading') return this.model;
    if (this.state !== 'loading') this.load();
    return await abortable(this.#loading.promise, signal);
  }

  async #load(pack, device, signal, options) {
    this.#set('loading', { progress: { stage: 'initiate' }, error: null });
    try {
      if (typeof pack === 'string') pack = here(pack);
      const { load, isSupported } = await this.module();
      this.support ??= await isSupported();
      if (!this.support.supported) throw new PageError('unsupported', this.support.wasm.reason || 'WebAssembly is missing');
      const model = await load(pack, { device, signal, ...options, onProgress: (progress) => { if (!signal.aborted) this.#set('loading', { progress }); } });
      if (signal.aborted) {
        model.dispose();
        signal.throwIfAborted();
      }
      this.model?.dispose();
      model.addEventListener('device-lost', (e) => this.dispatchEvent(new CustomEvent('lost', { detail: e.detail })));
      this.#set('ready', { model, pack, device, progress: null });
      return model;
    } catch (error) {
      // A load that was replaced by another has nothing more to say.
      if (!signal.aborted) this.#set(this.model ? 'ready' : 'failed', { error, progress: null });
      throw error;
    }
  }

  #set(state, fields) {
    Object.assign(this, { state }, fields);
    this.dispatchEvent(new Event('change'));
  }
}

/** An address on this host; another host is out of bounds (and the browser would refuse it). */
function here(url) {
  const u = new URL(url, document.baseURI);
  if (u.origin !== location.origin) throw new PageError('other-host', `${u.href} is not on ${location.origin}`);
  return u.href;
}

/** A promise that a signal can stop waiting for. */
function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Whether pictures are sent to the server that this page comes from. */
export const sends = 'sends' in document.documentElement.dataset;

/** The device in a few words. */
export function deviceName(d) {
  if (d.kind === 'server') return `Server ${d.name}`;
  if (d.kind === 'wasm') return d.threads > 1 ? `Processor, ${d.threads} threads` : 'Processor';
  return d.software ? 'WebGPU (software)' : d.name ? `WebGPU · ${d.name}` : 'WebGPU';
}
