// Runs a Go test binary in a worker, with a file system of what it needs to
// read and a /tmp in memory.
const files = new Map(); // path → Uint8Array, or null for a folder
const open = new Map();
let next = 100;
let output = '';

const error = (code) => Object.assign(new Error(code), { code });
const stat = (path, data) => ({
  dev: 0, ino: 0, mode: data ? 0o100644 : 0o040755, nlink: 1, uid: 0, gid: 0, rdev: 0,
  size: data?.length ?? 0, blksize: 4096, blocks: 0, atimeMs: 0, mtimeMs: 0, ctimeMs: 0, isDirectory: () => !data,
});
let here = '/'; // the package's folder
const clean = (path) => new URL(path, `file://${here}/`).pathname.replace(/(.)\/$/, '$1');
const decoder = new TextDecoder();

const constants = { O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, O_DIRECTORY: 65536 };

const calls = {
  open(path, flags) {
    path = clean(path);
    if (!files.has(path)) {
      if (!(flags & constants.O_CREAT)) throw error('ENOENT');
      files.set(path, new Uint8Array(0));
    } else if (flags & constants.O_EXCL) {
      throw error('EEXIST');
    } else if (flags & constants.O_TRUNC) {
      files.set(path, new Uint8Array(0));
    }
    open.set(++next, { path, at: 0 });
    return next;
  },
  close: (fd) => void open.delete(fd),
  fstat: (fd) => stat('', files.get(open.get(fd)?.path)),
  stat(path) {
    path = clean(path);
    if (!files.has(path)) throw error('ENOENT');
    return stat(path, files.get(path));
  },
  mkdir: (path) => {
    if (files.has(clean(path))) throw error('EEXIST');
    files.set(clean(path), null);
  },
  unlink: (path) => { if (!files.get(clean(path)) || !files.delete(clean(path))) throw error('ENOENT'); },
  rmdir: (path) => { if (!files.delete(clean(path))) throw error('ENOENT'); },
  rename: (from, to) => { files.set(clean(to), files.get(clean(from))); files.delete(clean(from)); },
  fsync: () => {},
  readdir(path) {
    const prefix = `${clean(path).replace(/\/$/, '')}/`;
    return [...files.keys()].filter((p) => p.startsWith(prefix) && p !== prefix && !p.slice(prefix.length).includes('/')).map((p) => p.slice(prefix.length));
  },
  read(fd, buffer, offset, length, position) {
    const f = open.get(fd);
    const at = position ?? f.at;
    const part = files.get(f.path).subarray(at, at + length);
    buffer.set(part, offset);
    if (position === null) f.at += part.length;
    return part.length;
  },
  write(fd, buffer, offset, length, position) {
    const part = buffer.subarray(offset, offset + length);
    if (fd <= 2) return globalThis.fs.writeSync(fd, part);
    const f = open.get(fd);
    const at = position ?? f.at;
    const old = files.get(f.path);
    const data = new Uint8Array(Math.max(old.length, at + length));
    data.set(old);
    data.set(part, at);
    files.set(f.path, data);
    if (position === null) f.at += length;
    return length;
  },
};
calls.lstat = calls.stat;
calls.symlink = (from, to) => { files.set(clean(to), files.get(clean(from))); };

globalThis.fs = {
  constants,
  writeSync(fd, bytes) {
    output += decoder.decode(bytes, { stream: true });
    return bytes.length;
  },
};
for (const [name, f] of Object.entries(calls)) {
  globalThis.fs[name] = (...args) => {
    const done = args.pop();
    let result;
    try {
      result = f(...args);
    } catch (e) {
      done(e.code ? e : error('EIO'));
      return;
    }
    done(null, result);
  };
}
globalThis.process = {
  getuid: () => -1, getgid: () => -1, geteuid: () => -1, getegid: () => -1, getgroups: () => [], pid: 1, ppid: 1, umask: () => 0,
  cwd: () => here, chdir() { throw error('ENOSYS'); },
};

addEventListener('message', async ({ data: { base, module, data, argv, env, relaxed, threads } }) => {
  try {
    const list = await (await fetch(`${data}/files.json`)).json();
    here = `/${list.dir}`;
    for (const path of ['/', '/tmp', here]) files.set(path, null);
    for (const file of list.files) {
      for (let at = file.indexOf('/'); at >= 0; at = file.indexOf('/', at + 1)) files.set(`/${file.slice(0, at)}`, null);
      files.set(`/${file}`, new Uint8Array(await (await fetch(`${data}/${file}`)).arrayBuffer()));
    }
    const { start } = await import(new URL('engine.mjs', base));
    start({ base, relaxed, threads, module: new URL(module), argv, env, onEnd: (_, code) => postMessage({ code, output }) }).catch(() => {});
  } catch (e) {
    postMessage({ code: -1, output: `${output}\n${e.stack}` });
  }
});
