// The service worker keeps the page; the module keeps the models.

import { sends } from './engine.mjs';

export const offline = { ready: false, text: 'The page is not kept for use without a network.' };

/** Waits until a worker is at work; fails if it cannot keep the page's files. */
const activated = (worker) => new Promise((done, failed) => {
  const look = () => {
    if (worker?.state === 'activated') done();
    else if (!worker || worker.state === 'redundant') failed(new Error('the browser does not keep its files'));
  };
  worker?.addEventListener('statechange', look);
  look();
});

/** Registers the service worker once the page has what it needs. */
export async function keepPage() {
  if (sends) {
    offline.text = 'This page needs its server.';
    return;
  }
  if (!('serviceWorker' in navigator)) {
    offline.text = 'This browser or address (no HTTPS) does not let the page be kept for use without a network.';
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register('sw.js', { updateViaCache: 'none' });
    if (!registration.active) await activated(registration.installing ?? registration.waiting);
    offline.ready = true;
    offline.text = 'The page works without a network now.';
    document.documentElement.dataset.offline = 'ready';
  } catch (e) {
    offline.text = `The page could not be kept for use without a network: ${e.message}`;
  }
}
