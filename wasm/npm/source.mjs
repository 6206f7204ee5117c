// Where a pack's bytes come from, in the worker: objects with size and
// read(at, n), which gives a Uint8Array or a promise of one.
import { I2SBError, aborted } from './errors.mjs';

/** A File, a Blob or one of the store's files. */
export class Local {
  resumed = 0;

  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
  }

  async read(at, n) {
    try {
      return new Uint8Array(await this.blob.slice(at, at + n).arrayBuffer());
    } catch (error) {
      throw new I2SBError('bad-pack', `the file cannot be read: ${error.message}`);
    }
  }

  async sha256(hash) {
    const sum = hash();
    for (let at = 0; at < this.size; at += 1 << 20) sum(await this.read(at, 1 << 20));
    return sum();
  }
}

const tries = 5; // without a new byte between
const stall = 30_000; // ms without a byte

/**
 * A download, whose bytes can be read as soon as they are here. They go into
 * part (see store.mjs), whose bytes from an earlier try are taken over, and into
 * memory from where part will take no more. It goes on where it is cut off.
 */
export class Download {
  have = 0;
  size = null; // null until the server has told, or all is here
  waiting = [];
  memory = new Uint8Array(0);
  memoryAt = 0; // where memory begins

  constructor(url, { part = null, tag = '', signal, onBytes, onTag }) {
    Object.assign(this, { url, part, tag, signal, onBytes, onTag });
    this.have = this.memoryAt = this.resumed = part?.size ?? 0;
    this.ended = this.#run();
    this.ended.catch(() => {}); // told to whoever reads
  }

  /** Waits until the size is known. */
  async open() {
    while (this.size === null) await this.#more(this.have + 1);
    return this;
  }

  read(at, n) {
    if (this.failure) throw this.failure;
    const end = Math.min(at + n, this.size);
    return end <= this.have ? this.#get(at, end - at) : this.#more(end).then(() => this.#get(at, end - at));
  }

  /** The sum of all bytes, taken while they come; call it once. */
  async sha256(hash) {
    const sum = hash();
    let at = 0;
    do {
      if (at >= this.have) await this.#more(at + 1);
      while (at < this.have) {
        const n = Math.min(1 << 20, this.have - at);
        sum(this.#get(at, n));
        at += n;
      }
    } while (this.size === null || at < this.size);
    await this.ended;
    return sum();
  }

  #get(at, n) {
    if (at >= this.memoryAt) return this.memory.subarray(at - this.memoryAt, at - this.memoryAt + n);
    if (at + n <= this.memoryAt) return this.part.read(at, n);
    const bytes = new Uint8Array(n); // across the border
    bytes.set(this.part.read(at, this.memoryAt - at));
    bytes.set(this.memory.subarray(0, at + n - this.memoryAt), this.memoryAt - at);
    return bytes;
  }

  #more(end) {
    if (this.failure) return Promise.reject(this.failure);
    if (this.have >= end) return Promise.resolve();
    return new Promise((done, failed) => this.waiting.push({ end, done, failed }));
  }

  #wake() {
    const now = this.waiting.filter((w) => w.end <= this.have || this.have === this.size || this.failure);
    this.waiting = this.waiting.filter((w) => !now.includes(w));
    for (const w of now) this.failure ? w.failed(this.failure) : w.done();
  }

  #store(bytes) {
    if (this.part && this.memoryAt === this.have) {
      try {
        this.part.append(bytes);
        this.have = this.memoryAt = this.have + bytes.length;
        return;
      } catch {
        this.full = true; // go on in memory
        this.part.access.truncate(this.have);
      }
    }
    const used = this.have - this.memoryAt;
    if (used + bytes.length > this.memory.length) {
      const room = new Uint8Array(Math.max(2 * this.memory.length, used + bytes.length, (this.size ?? 1 << 20) - this.memoryAt));
      room.set(this.memory.subarray(0, used));
      this.memory = room;
    }
    this.memory.set(bytes, used);
    this.have += bytes.length;
  }

  /** Begins anew: the server has another file, or knows no ranges. */
  #restart() {
    this.part?.clear();
    this.have = this.memoryAt = this.resumed = 0;
    this.memory = new Uint8Array(0);
  }

  async #run() {
    try {
      for (let left = tries; ;) {
        const before = this.have;
        try {
          await this.#attempt();
          break;
        } catch (error) {
          if (this.signal?.aborted) throw aborted(error);
          if (error instanceof I2SBError) throw error;
          left = this.have > before ? tries : left - 1;
          if (left === 0) throw new I2SBError('network', `${this.url}: cut off after ${this.have} bytes (${error.message}); run it again to go on`);
          await this.#pause(250 * 2 ** (tries - left));
        }
      }
      this.size = this.have;
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.#wake();
    }
  }

  #pause(ms) {
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.signal?.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
    });
  }

  async #attempt() {
    const ended = new AbortController();
    const end = () => ended.abort();
    this.signal?.addEventListener('abort', end, { once: true });
    if (this.signal?.aborted) end();
    let watch = setTimeout(end, stall);
    try {
      const headers = {};
      if (this.have > 0) {
        headers.Range = `bytes=${this.have}-`;
        if (this.tag) headers['If-Range'] = this.tag;
      }
      const response = await fetch(this.url, { headers, signal: ended.signal, cache: 'no-store' });
      if (!await this.#accept(response)) return;
      for (const reader = response.body.getReader(); ;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(watch);
        watch = setTimeout(end, stall);
        this.#store(value);
        this.onBytes(this);
        this.#wake();
      }
      if (this.size !== null && this.have < this.size) throw new Error('the connection was closed');
    } finally {
      clearTimeout(watch);
      this.signal?.removeEventListener('abort', end);
    }
  }

  /** Judges an answer's head; false if nothing is left to come. */
  async #accept(response) {
    const h = response.headers;
    if (response.status === 416 && this.have > 0) { // all is here, or too much
      const total = Number(/\*\/(\d+)$/.exec(h.get('content-range') ?? '')?.[1]);
      if (total === this.have) return false;
      this.#restart();
      throw new Error('the file has changed');
    }
    if (!response.ok) throw new I2SBError('network', `${this.url}: the server answers ${response.status}`);
    let total = null;
    if (response.status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(h.get('content-range') ?? '');
      if (range && (Number(range[1]) !== this.have || (this.size ?? Number(range[2])) !== Number(range[2]))) {
        this.#restart();
        throw new Error('the file has changed');
      }
      total = range ? Number(range[2]) : null;
    } else {
      if (this.have > 0) this.#restart();
      if (!h.get('content-encoding') && h.get('content-length')) total = Number(h.get('content-length'));
    }
    this.size = total;
    const tag = h.get('etag') ?? h.get('last-modified') ?? '';
    this.tag = tag.startsWith('W/') ? '' : tag;
    await this.onTag?.(this); // before bytes are kept, so that they are never kept without a name
    this.onBytes(this);
    return true;
  }
}
