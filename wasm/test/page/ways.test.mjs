// How a picture and a model come to the page, with a fake module in the real one's place.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { bird, choose } from './open.mjs';
import { calls, host, on, phase } from './visit.mjs';

const file = async () => `data:image/jpeg;base64,${(await readFile(bird)).toString('base64')}`;

describe('ways in', () => {
  test('the picker', on({}, async (page) => {
    const asked = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Choose a picture' }).click();
    await (await asked).setFiles(bird);
    await phase(page, 'ready');
    assert.equal(await page.locator('#file-size').textContent(), '384 × 256');
    assert.equal(await page.locator('#take').isVisible(), false, 'no camera button with a mouse');
  }));

  test('the camera, on a phone', on({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } }, async (page) => {
    const asked = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Take a photograph' }).click();
    const chooser = await asked;
    assert.equal(await chooser.element().getAttribute('capture'), 'environment');
    await chooser.setFiles(bird);
    await phase(page, 'ready');
  }));

  for (const kind of ['drop', 'paste']) {
    test(kind, on({}, async (page) => {
      await page.evaluate(async ([kind, url]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(url.split(',')[1]), (c) => c.charCodeAt(0))], 'from.jpg', { type: 'image/jpeg' }));
        if (kind === 'paste') return document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        const send = (type) => document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        send('dragenter');
        globalThis.veiled = !document.getElementById('veil').hidden;
        if (send('dragover')) throw new Error('the browser would open the file itself');
        send('drop');
      }, [kind, await file()]);
      await phase(page, 'ready');
      assert.equal(await page.locator('#file-name').textContent(), 'from.jpg');
      if (kind === 'drop') assert.ok(await page.evaluate(() => globalThis.veiled && document.getElementById('veil').hidden));
    }));
  }

  test('the Paste button', on({ permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
    await page.evaluate(async () => {
      const png = await new OffscreenCanvas(40, 30).convertToBlob().catch(() => null) ?? await (() => {
        const c = new OffscreenCanvas(40, 30);
        c.getContext('2d').fillRect(0, 0, 40, 30);
        return c.convertToBlob();
      })();
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    });
    await page.getByRole('button', { name: 'Paste' }).click();
    await phase(page, 'ready');
    assert.equal(await page.locator('#file-name').textContent(), 'pasted.png');
  }));

  test('the example', on({}, async (page) => {
    await page.getByRole('button', { name: 'Use the bird' }).click();
    await phase(page, 'ready');
  }));

  test('something without a picture, and a file that is none', on({}, async (page) => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text/uri-list', 'https://example.org/a.jpg');
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await page.locator('#trouble[data-code="no-picture"]').waitFor();
    await page.locator('#file').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
    await page.locator('#trouble[data-code="bad-image"]').waitFor();
    await choose(page);
    assert.equal(await page.locator('#trouble').isVisible(), false);
  }));
});

describe('loading', () => {
  test('bytes are told, and the device and why', on({ ready: false, fake: { load: { stallAt: 5 } } }, async (page) => {
    await page.getByRole('button', { name: 'Model 2.1 of 4.2 MB' }).waitFor();
    await choose(page);
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.locator('#progress').getByText('Fetching the model: 2.1 of 4.2 MB').waitFor();
    assert.equal(await page.locator('#progress progress').evaluate((p) => p.value), 0.5);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await phase(page, 'ready');
  }));

  test('the dialog: facts, another device, what is kept', on({ fake: {
    support: { webgpu: { ok: true, reason: '', adapter: 'SwiftShader', software: true } },
    packs: [{ sha256: 'abc', url: 'http://h/packs/default.i2sb', bytes: 4194814, total: 4194814, complete: true, used: 1 }, { sha256: '', url: 'http://h/big.i2sb', bytes: 1e6, total: 9e6, complete: false, used: 1 }] } }, async (page) => {
    await page.getByRole('button', { name: 'Processor' }).click();
    const dialog = page.getByRole('dialog', { name: 'Model and device' });
    await dialog.getByText('The processor: this browser has no WebGPU.').waitFor();
    await dialog.getByText('4.2 MB, 4.4 million parameters').waitFor();
    await dialog.getByText('SwiftShader, emulated on the processor, slow').waitFor();
    await dialog.getByText('1.0 of 9.0 MB, not complete').waitFor();
    await dialog.getByRole('radio', { name: /Graphics/ }).check();
    await page.locator('#engine-text', { hasText: 'WebGPU · Fake adapter' }).waitFor();
    assert.deepEqual((await calls(page, 'load')).map((c) => c.device), ['auto', 'webgpu']);
    assert.equal(await calls(page, 'disposed'), 1, 'the old model is given back');
    await dialog.getByRole('button', { name: 'Remove default.i2sb' }).click();
    await dialog.getByText('default.i2sb').waitFor({ state: 'detached' });
    assert.deepEqual(await calls(page, 'removed'), ['abc']);
    await page.keyboard.press('Escape');
    assert.equal(await dialog.isVisible(), false);
  }));

  test('another pack, from a file and by address; another host is out of bounds', on({}, async (page) => {
    await page.locator('#file').setInputFiles({ name: 'mine.i2sb', mimeType: 'application/octet-stream', buffer: Buffer.from('pack') });
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await page.locator('#engine[data-state="ready"]').waitFor();
    const address = dialog.getByRole('textbox', { name: 'Address of a pack' });
    await address.fill('packs/other.i2sb');
    await address.press('Enter');
    await page.waitForFunction(() => fake.calls.load.length === 3);
    await page.locator('#engine[data-state="ready"]').waitFor();
    assert.deepEqual((await calls(page, 'load')).map((c) => c.pack), [`${host.server.url}packs/default.i2sb`, 'mine.i2sb', `${host.server.url}packs/other.i2sb`]);
    await address.fill('https://example.org/x.i2sb');
    await dialog.getByRole('button', { name: 'Load' }).click();
    await dialog.locator('[data-code="other-host"]').waitFor();
    assert.equal((await calls(page, 'load')).length, 3);
    assert.equal(await page.locator('#engine').getAttribute('data-state'), 'ready', 'the old model stays');
  }));

  test('?pack= and ?device=', on({ query: '?pack=packs/tiny.i2sb&device=wasm' }, async (page) => {
    assert.deepEqual(await calls(page, 'load'), [{ pack: `${host.server.url}packs/tiny.i2sb`, device: 'wasm' }]);
  }));
});
