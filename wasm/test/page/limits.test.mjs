// The page with the real module, where the browser gives little: pictures of
// great size, storage that is refused or full.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { out } from '../paths.mjs';
import { png } from '../png.mjs';
import { serve } from '../serve.mjs';
import { choose, open, restored } from './open.mjs';
import { phase } from './visit.mjs';

let browser, server;
before(async () => {
  server = await serve({ '/': `${out}/site`, '/more/': out });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});
afterEach(() => { server.fault = null; });

const file = (name, ...of) => ({ name, mimeType: 'image/png', buffer: png(...of) });

test('8000×6000 pixels go by tiles, which is told; enlarged, the limit is named', async () => {
  const page = await open(browser, `${server.url}/`);
  await choose(page, file('large.png', 8000, 6000, (x) => x >> 5));
  await page.locator('#restore').click();
  await page.waitForFunction(() => document.querySelector('#progress progress').value > 0);
  await page.locator('#progress').getByText('One step').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await phase(page, 'ready');
  await page.getByRole('radio', { name: /Enlarge/ }).check();
  assert.match(await page.locator('#file-size').textContent(), /32000 × 24000/);
  await page.locator('#restore').click();
  await page.locator('#trouble[data-code="out-of-memory"]').getByText(/32000×24000 pixels/).waitFor();
  await page.context().close();
});

test('a picture wider than any canvas: the limit is named, and another one is restored', async () => {
  const page = await open(browser, `${server.url}/`, { query: '?pack=more/tiny.i2sb' });
  await choose(page, file('wide.png', 70_000, 2, () => 90));
  await page.locator('#restore').click();
  await page.locator('#trouble[data-code="out-of-memory"]').getByText(/limit of this browser's canvas is a width of 65535/).waitFor();
  await choose(page, file('small.png', 40, 30, () => 90));
  await restored(page);
  await page.context().close();
});

/** Serves scripts of the site with a line before each. */
const prefixed = (lines) => (path, request, response) => {
  if (!lines[path]) return false;
  response.setHeader('Content-Type', 'text/javascript');
  response.end(Buffer.concat([Buffer.from(`${lines[path]}\n`), readFileSync(`${out}/site${path}`)]));
  return true;
};

const refuse = (method) => `${method} = () => Promise.reject(new DOMException('not in this window', 'SecurityError'));`;

for (const [name, files, caches, quota, why] of [
  ['refused', refuse('StorageManager.prototype.getDirectory'), refuse('CacheStorage.prototype.open'), 0, /No model is kept: not in this window/],
  ['absent', "Object.defineProperty(navigator, 'storage', { value: undefined });", 'delete self.caches;', 0, /No model is kept: this browser has no private file system/],
  ['full', '', '', 100_000, /No model is kept\./],
]) {
  test(`storage is ${name}: the picture is restored, and the page says that nothing is kept`, async () => {
    server.fault = prefixed({ '/app.mjs': files, '/i2sb/worker.mjs': files, '/sw.js': caches });
    const page = await open(browser, `${server.url}/i2sb/package.json`, { ready: false });
    if (quota) await (await page.context().newCDPSession(page)).send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: quota });
    await page.goto(server.url);
    await page.locator('#engine[data-state="ready"]').waitFor();
    await choose(page);
    await restored(page);
    await page.locator('#engine').click();
    await page.getByText(why).waitFor();
    await page.getByText(/The page could not be kept for use without a network/).waitFor();
    assert.equal(await page.locator('html[data-offline="ready"]').count(), 0);
    await page.context().close();
  });
}
