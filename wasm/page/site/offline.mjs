// The service worker keeps the page; the module keeps the models.

import { sends } from './engine.mjs';

export const offline = { ready: false, text: 'The page is not kept for use without a network.' };

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
    await navigator.serviceWorker.register('sw.js', { updateViaCache: 'none' });
    await navigator.serviceWorker.ready;
    offline.ready = true;
    offline.text = 'The page works without a network now.';
    document.documentElement.dataset.offline = 'ready';
  } catch (e) {
    offline.text = `The page could not be kept for use without a network: ${e.message}`;
  }
}
