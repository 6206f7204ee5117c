// A page that sends its pictures needs its server and keeps nothing. One that
// was kept from this address before, and computes in the tab, gives way.
'use strict';
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith('i2sb-page ')) await caches.delete(name);
    await self.registration.unregister();
    for (const tab of await self.clients.matchAll({ type: 'window' })) tab.navigate(tab.url);
  })());
});
