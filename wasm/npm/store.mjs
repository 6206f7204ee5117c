// Packs that are kept on the device, in the origin's private file system:
//
//   i2sb/<key>.json         where a pack came from: {url, tag, total, sha256, used}
//   i2sb/<key>.part         what has come of it so far
//   i2sb/<sha256>.i2sb      a whole pack
//
// The key is a hash of the URL. A .part's lock, which the browser keeps, also
// keeps two tabs from writing to it.

const folder = 'i2sb';

const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('');

const keyOf = async (url) => hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(url))).slice(0, 32);

/** The folder, or an Error that says why there is none. */
export async function open() {
  if (!globalThis.isSecureContext) throw new Error('storage needs a secure page (https or localhost)');
  if (!navigator.storage?.getDirectory) throw new Error('this browser has no private file system');
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(folder, { create: true });
}

async function json(dir, name) {
  try {
    return JSON.parse(await (await (await dir.getFileHandle(name)).getFile()).text());
  } catch {
    return null; // absent, or cut off while it was written
  }
}

async function file(dir, name) {
  try {
    return await (await dir.getFileHandle(name)).getFile();
  } catch {
    return null;
  }
}

const drop = (dir, name) => dir.removeEntry(name).then(() => true, () => false);

const whole = (sha256) => `${sha256}.i2sb`;

/** A pack's entry in the store: what is known of it and its files. */
export class Entry {
  static async of(dir, url) {
    const e = new Entry();
    e.dir = dir;
    e.key = await keyOf(url);
    e.about = { url, tag: '', total: null, sha256: '', used: 0, ...await json(dir, `${e.key}.json`) };
    return e;
  }

  /** The whole pack as a File, if it is here. */
  async file(sha256 = this.about.sha256) {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return null;
    return file(this.dir, whole(sha256));
  }

  async note(changes) {
    Object.assign(this.about, changes);
    const handle = await this.dir.getFileHandle(`${this.key}.json`, { create: true });
    const out = await handle.createSyncAccessHandle();
    try {
      out.truncate(0);
      out.write(new TextEncoder().encode(JSON.stringify(this.about)), { at: 0 });
      out.flush();
    } finally {
      out.close();
    }
  }

  /** What has come so far, locked for this tab. */
  async part() {
    const handle = await this.dir.getFileHandle(`${this.key}.part`, { create: true });
    return new Part(handle, await handle.createSyncAccessHandle());
  }

  /** Gives the whole part its name. */
  async keep(part, sha256) {
    part.close();
    const total = (await part.handle.getFile()).size;
    if (part.handle.move) {
      await part.handle.move(whole(sha256));
    } else {
      const to = await (await this.dir.getFileHandle(whole(sha256), { create: true })).createWritable();
      await (await part.handle.getFile()).stream().pipeTo(to);
      await drop(this.dir, `${this.key}.part`);
    }
    await this.note({ sha256, total, used: Date.now() });
  }

  async forget() {
    await drop(this.dir, `${this.key}.part`);
    await drop(this.dir, `${this.key}.json`);
    if (this.about.sha256) await drop(this.dir, whole(this.about.sha256));
  }
}

/** A file that grows, read at any place; for workers. */
class Part {
  constructor(handle, access) {
    this.handle = handle;
    this.access = access;
    this.size = access.getSize();
  }

  append(bytes) {
    const n = this.access.write(bytes, { at: this.size });
    if (n !== bytes.length) throw new DOMException('the disk is full', 'QuotaExceededError'); // Chromium may say anything
    this.size += n;
  }

  read(at, n) {
    const bytes = new Uint8Array(n);
    return bytes.subarray(0, this.access.read(bytes, { at }));
  }

  clear() {
    this.access.truncate(0);
    this.size = 0;
  }

  close() {
    this.access.flush();
    this.access.close();
  }
}

async function entries(dir) {
  const list = [];
  for await (const name of dir.keys()) {
    if (!name.endsWith('.json')) continue;
    const about = await json(dir, name);
    if (about) list.push({ key: name.slice(0, -5), about });
  }
  return list;
}

/** What is kept; see CachedPack in i2sb.d.ts. */
export async function list() {
  let dir;
  try {
    dir = await open();
  } catch {
    return []; // nothing can be kept here
  }
  return Promise.all((await entries(dir)).map(async ({ key, about: { url, total, sha256, used } }) => {
    const complete = sha256 !== '' && await file(dir, whole(sha256));
    const here = complete || await file(dir, `${key}.part`);
    return { url, total, used, sha256: complete ? sha256 : '', bytes: here?.size ?? 0, complete: Boolean(complete) };
  }));
}

/** Removes what is kept of a SHA-256, a URL, or everything. */
export async function remove(which) {
  let dir;
  try {
    dir = await open();
  } catch {
    return 0;
  }
  const all = await entries(dir);
  const url = which && new URL(which, globalThis.location?.href).href;
  const gone = all.filter(({ about }) => !which || about.sha256 === which || about.url === url);
  const kept = new Set(all.filter((e) => !gone.includes(e)).map((e) => e.about.sha256));
  for (const { key, about } of gone) {
    await drop(dir, `${key}.json`);
    await drop(dir, `${key}.part`);
    if (about.sha256 && !kept.has(about.sha256)) await drop(dir, whole(about.sha256));
  }
  return gone.length;
}
