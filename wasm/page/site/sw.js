// Keeps the page and the module, so that both work without a network, and lets
// no request leave this host. The models are kept by the module itself.
//
// precache.js is made for a whole site: {version, csp, files: {path: sha256}}.
// It is imported, so a change of any file changes what the browser compares
// when it looks for a new worker. A new version waits until every tab of the
// old one is closed: a page never meets a module of another version.
'use strict';
importScripts('precache.js');

const { version, csp, files } = self.precache;
const prefix = 'i2sb-page ';
const mine = prefix + version;
const root = new URL('./', self.location).href;

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(mine);
    await Promise.all(Object.entries(files).map(async ([path, sha256]) => {
      const url = root + path;
      // A file that is not of this version is refused by its hash.
      const response = await fetch(new Request(url, { integrity: `sha256-${sha256}`, cache: 'no-cache' }));
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      await cache.put(url, guarded(response));
    }));
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== mine) await caches.delete(name);
    await self.clients.claim(); // the first tab works offline without a second visit
  })());
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) {
    if (url.protocol.startsWith('http')) event.respondWith(Response.error());
    return;
  }
  if (event.request.method !== 'GET' || !url.href.startsWith(root)) return;
  const path = url.pathname.slice(new URL(root).pathname.length) || 'index.html';
  if (Object.hasOwn(files, path)) event.respondWith(kept(path, event.request));
});

async function kept(path, request) {
  const cache = await caches.open(mine);
  return (await cache.match(root + path)) ?? fetch(request);
}

/** The same response with the page's policy: workers do not inherit it from the page, only from their script. */
function guarded(response) {
  const headers = new Headers(response.headers);
  headers.set('Content-Security-Policy', csp);
  headers.delete('Content-Encoding'); // the body is decoded already
  headers.delete('Content-Length');
  return new Response(response.body, { status: response.status, headers });
}
