// A static host for tests: the page's files, a module under i2sb/, the list of
// files for the service worker, all under a base path as on a shared host.
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
export const site = join(here, '../../page/site');
const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.jpg': 'image/jpeg', '.webp': 'image/webp', '.wasm': 'application/wasm', '.webmanifest': 'application/manifest+json', '.i2sb': 'application/octet-stream' };

/** Serves the page with the fake module; {url, requests, close, down}. */
export async function serve({ base = '/some/where/' } = {}) {
  const tree = new Map(); // path → file
  const add = async (dir, prefix = '') => {
    for (const e of await readdir(dir, { withFileTypes: true })) {
      if (e.isDirectory()) await add(join(dir, e.name), `${prefix}${e.name}/`);
      else tree.set(prefix + e.name, join(dir, e.name));
    }
  };
  await add(site);
  await add(join(here, 'fake'), 'i2sb/');
  const requests = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x');
    requests.push(url.pathname);
    const path = url.pathname.startsWith(base) ? url.pathname.slice(base.length) || 'index.html' : null;
    try {
      const body = path === 'precache.js' ? await precache(tree) : await readFile(tree.get(path));
      response.writeHead(200, { 'Content-Type': types[extname(path)], 'Cache-Control': 'no-cache' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${server.address().port}${base}`, requests, close };
}

// What page.Precache makes in Go, for this tree.
async function precache(tree) {
  const files = {};
  for (const [path, file] of tree) files[path] = createHash('sha256').update(await readFile(file)).digest('base64');
  const csp = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(await readFile(tree.get('index.html'), 'utf8'))[1];
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  return `self.precache = ${JSON.stringify({ version, csp, files })};\n`;
}
