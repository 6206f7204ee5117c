// A static server with faults to order.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8', '.mjs': 'text/javascript', '.js': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.json': 'application/json', '.png': 'image/png', '.jpg': 'image/jpeg',
};

/** The CSP that `i2sb-run web` sends. */
export const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' blob:; "
  + "img-src 'self' blob: data:; style-src 'self'; manifest-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/**
 * Serves mounts ({'/prefix/': folder}). What `fault(url, request, response)`
 * returns true for it has answered itself. `log` keeps every request.
 */
export async function serve(mounts, { isolated = false, csp = policy } = {}) {
  const state = { log: [], fault: null };
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    state.log.push({ path: url.pathname, range: request.headers.range });
    response.setHeader('Cache-Control', 'no-store');
    if (csp) response.setHeader('Content-Security-Policy', csp);
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (state.fault?.(url.pathname, request, response)) return;
    const path = resolve(mounts, url.pathname);
    const info = path && statSync(path, { throwIfNoEntry: false });
    if (!info?.isFile()) {
      response.writeHead(404).end('not found');
      return;
    }
    send(path, info, request, response);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.close = () => { server.closeAllConnections(); server.close(); };
  return state;
}

function resolve(mounts, path) {
  const prefix = Object.keys(mounts).filter((p) => path.startsWith(p)).sort((a, b) => b.length - a.length)[0];
  if (!prefix) return null;
  const rest = normalize(decodeURIComponent(path.slice(prefix.length)) || 'index.html');
  return rest.startsWith('..') ? null : join(mounts[prefix], rest);
}

export function send(path, info, request, response) {
  response.setHeader('Content-Type', types[extname(path)] ?? 'application/octet-stream');
  response.setHeader('ETag', `"${info.size}-${info.mtimeMs}"`);
  response.setHeader('Accept-Ranges', 'bytes');
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  let [start, end] = [0, info.size - 1];
  if (range) {
    start = Number(range[1]);
    if (range[2]) end = Math.min(end, Number(range[2]));
    if (start >= info.size) {
      response.writeHead(416, { 'Content-Range': `bytes */${info.size}` }).end();
      return;
    }
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${start}-${end}/${info.size}`);
  }
  response.setHeader('Content-Length', end - start + 1);
  createReadStream(path, { start, end }).pipe(response);
}
