// What the visitor does with the page, with a fake module in the real one's place.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { launch } from '../browser.mjs';
import { bird, choose, open, restored } from './open.mjs';
import { painted } from './pictures.mjs';
import { serve } from './server.mjs';

let browser, server;
before(async () => { [browser, server] = await Promise.all([launch(), serve()]); });
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs a test with the page open; nothing may be logged as an error. */
const on = (options, f) => async () => {
  const page = await open(browser, server.url, options);
  try {
    await f(page);
    assert.deepEqual(page.faults, options.faults ?? []);
  } finally {
    await page.context().close();
  }
};
const phase = (page, name) => page.locator(`body[data-phase="${name}"]`).waitFor();
const calls = (page, what) => page.evaluate((w) => fake.calls[w], what);
const task = (name, scale = 1, mask = false) => ({ name, family: name, description: '', trained: [], sampler: 'posterior', steps: 1, scale, mask });
const withFill = { info: { tasks: [task('jpeg'), task('sr4x', 4), task('deblur'), task('inpaint', 1, true)] } };
const file = async () => `data:image/jpeg;base64,${(await readFile(bird)).toString('base64')}`;
const part = async (page) => (await calls(page, 'restore')).at(-1).mask.part;

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
    assert.deepEqual((await calls(page, 'load')).map((c) => c.pack), [`${server.url}packs/default.i2sb`, 'mine.i2sb', `${server.url}packs/other.i2sb`]);
    await address.fill('https://example.org/x.i2sb');
    await dialog.getByRole('button', { name: 'Load' }).click();
    await dialog.locator('[data-code="other-host"]').waitFor();
    assert.equal((await calls(page, 'load')).length, 3);
    assert.equal(await page.locator('#engine').getAttribute('data-state'), 'ready', 'the old model stays');
  }));

  test('?pack= and ?device=', on({ query: '?pack=packs/tiny.i2sb&device=wasm' }, async (page) => {
    assert.deepEqual(await calls(page, 'load'), [{ pack: `${server.url}packs/tiny.i2sb`, device: 'wasm' }]);
  }));
});

describe('restoring', () => {
  test('steps, previews, result, download', on({ fake: { restore: { stepMs: 400 } } }, async (page) => {
    await choose(page);
    await page.locator('#sharpness').fill('1');
    await page.locator('#restore').click();
    await page.locator('#progress').getByText('Step 1 of 2').waitFor();
    await page.locator('#picture[data-shows="walk"]').waitFor();
    assert.match(await page.title(), /^\d+ % – i2sb$/);
    assert.ok(await page.locator('#picture canvas').evaluate((c) => c.width >= 384));
    await phase(page, 'result');
    const [call] = await calls(page, 'restore');
    assert.deepEqual(call, { task: 'jpeg', steps: 2, seed: 0, tile: 0, output: 'blob', type: 'image/png', preview: 768, picture: 'canyon-wren.jpg' });
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    const got = await coming;
    assert.equal(got.suggestedFilename(), 'canyon-wren.restored.png');
    assert.equal((await readFile(await got.path())).subarray(1, 4).toString(), 'PNG');
  }));

  test('fine settings reach the module, and the dial follows', on({}, async (page) => {
    await choose(page);
    await page.getByText('Fine settings').click();
    await page.getByLabel('Steps').fill('4');
    await page.getByLabel('Steps').blur();
    assert.equal(await page.locator('#sharpness').inputValue(), '2');
    await page.getByLabel('Sampler').selectOption('i3sb');
    await page.getByLabel('Seed', { exact: true }).fill('11');
    await page.getByLabel('Tiles').selectOption('256');
    await restored(page);
    const [{ steps, sampler, seed, tile }] = await calls(page, 'restore');
    assert.deepEqual({ steps, sampler, seed, tile }, { steps: 4, sampler: 'i3sb', seed: 11, tile: 256 });
  }));

  test('enlarging: four times the size', on({}, async (page) => {
    await choose(page);
    await page.getByRole('radio', { name: /Enlarge/ }).check();
    await restored(page);
    assert.equal(await page.locator('#file-size').textContent(), '384 × 256 → 1536 × 1024');
    assert.deepEqual(await page.locator('#picture .after').evaluate((i) => [i.naturalWidth, i.naturalHeight]), [1536, 1024]);
  }));

  test('a task that the pack lacks is not offered', on({}, async (page) => {
    await choose(page);
    assert.deepEqual(await page.locator('.task b').allTextContents(), ['Artefacts', 'Enlarge 4×', 'Deblur']);
  }));

  test('cancel, by button and by Escape, and again', on({ fake: { restore: { stepMs: 60000 } } }, async (page) => {
    await choose(page);
    for (const stop of [() => page.getByRole('button', { name: 'Cancel' }).click(), () => page.keyboard.press('Escape')]) {
      await page.locator('#restore').click();
      await page.locator('#progress').waitFor();
      const began = Date.now();
      await stop();
      await phase(page, 'ready');
      assert.ok(Date.now() - began < 2000);
      assert.equal(await page.locator('#trouble').isVisible(), false, 'to cancel is no error');
    }
    await page.evaluate(() => { fake.restore.stepMs = 10; });
    await restored(page);
  }));

  test('another picture ends the walk', on({ fake: { restore: { stepMs: 60000 } } }, async (page) => {
    await choose(page);
    await page.locator('#restore').click();
    await phase(page, 'walking');
    await page.locator('#file').setInputFiles(await painted(page, 300, 200, 'second.png', 'image/png'));
    await phase(page, 'ready');
    assert.equal(await page.locator('#file-name').textContent(), 'second.png');
  }));

  test('the slider, by pointer and by keys', on({}, async (page) => {
    await choose(page);
    await restored(page);
    const slider = page.getByRole('slider', { name: 'How much of the restored picture is shown' });
    const box = await page.locator('#picture').boundingBox();
    const at = () => page.locator('#picture').evaluate((e) => getComputedStyle(e.querySelector('.after')).clipPath);
    assert.match(await at(), /50%/);
    await page.mouse.move(box.x + box.width / 2, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 40, { steps: 3 });
    await page.mouse.up();
    assert.match(await at(), /25%/);
    await page.mouse.move(box.x + box.width * 0.8, box.y + 40);
    assert.match(await at(), /25%/, 'let go');
    await slider.press('ArrowRight');
    assert.match(await at(), /26%/);
    assert.equal(await slider.getAttribute('aria-valuetext'), '74 % restored');
    await slider.press('End');
    assert.match(await at(), /100%/);
  }));

  test('actual pixels', on({}, async (page) => {
    await choose(page, await painted(page, 2400, 1800, 'large.jpg'));
    await page.getByRole('button', { name: 'Actual pixels' }).click();
    assert.equal(await page.locator('#picture').evaluate((e) => e.clientWidth), 2400);
    await page.getByRole('button', { name: 'Actual pixels' }).click();
    assert.ok(await page.locator('#picture').evaluate((e) => e.clientWidth) < 1280);
  }));

  test('a hidden tab: no previews, the title tells, the result comes', on({ fake: { restore: { stepMs: 150 } } }, async (page) => {
    await choose(page);
    await page.locator('#sharpness').fill('2');
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true });
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      globalThis.requestAnimationFrame = () => 0; // as in a hidden tab: it never comes
      globalThis.walks = 0;
      new MutationObserver(() => { globalThis.walks += document.getElementById('picture').dataset.shows === 'walk'; }).observe(document.getElementById('picture'), { attributes: true, attributeFilter: ['data-shows'] });
    });
    await page.evaluate(() => document.getElementById('restore').click());
    await page.waitForFunction(() => /^[1-9]\d* %/.test(document.title), null, { polling: 20 });
    await page.waitForFunction(() => document.title === 'Restored – i2sb', null, { polling: 50 });
    assert.equal(await page.evaluate(() => globalThis.walks), 0);
  }));

  test('the GPU goes away and the walk goes on', on({ fake: { restore: { stepMs: 500 } } }, async (page) => {
    await choose(page);
    await page.locator('#restore').click();
    await phase(page, 'walking');
    await page.evaluate(() => fake.model.dispatchEvent(new CustomEvent('device-lost', { detail: { reason: 'unknown', device: { ...fake.model.info.device, detail: 'Going on with the processor.' } } })));
    await page.getByText('The graphics processor went away. Going on with the processor.').waitFor();
    await phase(page, 'result');
  }));
});

describe('the mask', () => {
  test('paint, erase, undo, redo, clear; the module gets it', on({ fake: withFill }, async (page) => {
    await choose(page);
    await page.getByRole('radio', { name: /Fill in/ }).check();
    await page.locator('#restore').click();
    await page.locator('#trouble[data-code="no-mask"]').waitFor();
    const box = await page.locator('#mask').boundingBox();
    const stroke = async (y) => {
      await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * y);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.8, box.y + box.height * y, { steps: 5 });
      await page.mouse.up();
    };
    const again = async () => {
      if (await page.locator('#edit-mask').isVisible()) await page.locator('#edit-mask').click();
    };
    const measured = async () => {
      await restored(page);
      const p = await part(page);
      await again();
      return p;
    };
    await stroke(0.3);
    const one = await measured();
    // A line of 60 % of the width and 12 % of the height, with round ends.
    const ideal = 0.6 * 0.12 + Math.PI * 0.06 ** 2 * 256 / 384;
    assert.ok(Math.abs(one - ideal) < 0.003, `${one} painted, ${ideal} meant`);
    assert.deepEqual((await calls(page, 'restore'))[0].mask.width, 384);
    await stroke(0.7);
    assert.ok(Math.abs(await measured() - 2 * ideal) < 0.006);
    await page.getByRole('button', { name: 'Undo' }).click();
    assert.equal(await measured(), one);
    await page.getByRole('button', { name: 'Redo' }).click();
    await page.getByRole('button', { name: 'Erase' }).click();
    await stroke(0.7);
    assert.ok(Math.abs(await measured() - one) < 0.003);
    await page.getByRole('button', { name: 'Clear the mask' }).click();
    assert.equal(await page.getByRole('button', { name: 'Clear the mask' }).isDisabled(), true);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('slider', { name: 'Brush size' }).fill('30');
    await page.getByRole('button', { name: 'Paint' }).click();
    await stroke(0.5);
    assert.ok(await measured() > 3 * one);
  }));

  test('by keys alone', on({ fake: withFill }, async (page) => {
    await choose(page);
    await page.getByRole('radio', { name: /Fill in/ }).check();
    const canvas = page.getByRole('application', { name: /Mask/ });
    await canvas.focus();
    const press = async (...keys) => { for (const k of keys) await canvas.press(k); };
    await press('Space', 'ArrowRight', 'ArrowRight', 'ArrowDown', 'Space');
    await restored(page);
    const first = await part(page);
    assert.ok(first > 0.02 && first < 0.06, `${first}`);
    await page.locator('#edit-mask').click();
    await press(']', ']', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'Space', 'ArrowLeft', 'Space');
    await restored(page);
    const second = await part(page);
    assert.ok(second > first + 0.02);
    await page.locator('#edit-mask').click();
    await press('Control+z');
    await restored(page);
    assert.equal(await part(page), first);
    await page.locator('#edit-mask').click();
    await press('Control+Shift+z', 'Delete');
    await page.locator('#restore').click();
    await page.locator('#trouble[data-code="no-mask"]').waitFor();
  }));

  test('a large picture: the mask has its size', on({ fake: withFill }, async (page) => {
    await choose(page, await painted(page, 3000, 1200, 'large.jpg'));
    await page.getByRole('radio', { name: /Fill in/ }).check();
    await page.locator('#mask canvas').click();
    await restored(page);
    const { mask } = (await calls(page, 'restore'))[0];
    assert.deepEqual([mask.width, mask.height], [3000, 1200]);
    assert.ok(Math.abs(mask.part - Math.PI * 72 ** 2 / (3000 * 1200)) < 0.0005, `${mask.part}`);
  }));
});

describe('seeds', () => {
  test('four walks, to choose from, then four more', on({}, async (page) => {
    await choose(page);
    assert.equal(await page.getByRole('button', { name: 'Compare seeds' }).isDisabled(), true);
    await page.getByText('One step leaves nothing to chance').waitFor();
    await page.locator('#sharpness').fill('1');
    await restored(page);
    await page.getByRole('button', { name: 'Compare seeds' }).click();
    await page.waitForFunction(() => fake.calls.restore.length === 4);
    await phase(page, 'result');
    assert.deepEqual((await calls(page, 'restore')).map((c) => c.seed), [0, 1, 2, 3], 'the one that was there is kept');
    await page.getByRole('radio', { name: 'Seed 2' }).check();
    await page.waitForFunction(() => document.getElementById('download').download === 'canyon-wren.restored.seed2.png');
    const shown = await page.locator('#picture .after').getAttribute('src');
    assert.equal(await page.locator('[data-seed="2"] img').getAttribute('src'), shown);
    await page.getByRole('radio', { name: 'Seed 2' }).press('ArrowRight');
    await page.waitForFunction(() => document.getElementById('download').download === 'canyon-wren.restored.seed3.png');
    await page.getByRole('button', { name: 'Four more seeds' }).click();
    await page.waitForFunction(() => fake.calls.restore.length === 8);
    await phase(page, 'result');
    assert.equal(await page.getByRole('radio', { name: /Seed/ }).count(), 8);
  }));

  test('cancelled in the middle: what was made stays', on({ fake: { restore: { stepMs: 700 } } }, async (page) => {
    await choose(page);
    await page.locator('#sharpness').fill('1');
    await page.getByRole('button', { name: 'Compare seeds' }).click();
    await page.locator('[data-seed="1"] img').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await phase(page, 'result');
    assert.equal(await page.getByRole('radio', { name: /Seed/ }).count(), 2);
  }));
});

describe('troubles', () => {
  const cases = {
    unsupported: 'Model and device', 'out-of-memory': 'Try small tiles', 'device-lost': 'Use the processor', 'bad-pack': 'Use the built-in model',
    'bad-image': 'Choose another picture', 'bad-option': 'Use the model’s settings', network: 'Go on', closed: 'Try again', internal: 'Try again', unheard: 'Try again',
  };
  for (const [code, action] of Object.entries(cases)) {
    test(`${code}: what it means and what to do`, on({ fake: { restore: { fail: { code, message: `the message of ${code}` } } } }, async (page) => {
      await choose(page);
      await page.locator('#restore').click();
      const box = page.getByRole('alert');
      await box.waitFor();
      assert.equal(await box.getAttribute('data-code'), code === 'unheard' ? 'internal' : code);
      await box.getByText('What was reported').click();
      await box.getByText(`the message of ${code}`).waitFor();
      await page.evaluate(() => { delete fake.restore.fail; });
      const chooser = code === 'bad-image' && page.waitForEvent('filechooser');
      await box.getByRole('button', { name: action }).click();
      assert.equal(await box.isVisible(), false);
      if (['Try again', 'Try small tiles', 'Use the processor', 'Go on'].includes(action)) await phase(page, 'result');
      if (action === 'Try small tiles') assert.equal((await calls(page, 'restore')).at(-1).tile, 256);
      if (action === 'Use the processor') assert.equal((await calls(page, 'load')).at(-1).device, 'wasm');
      if (action === 'Model and device') await page.getByRole('dialog').waitFor();
      await chooser;
    }));
  }

  test('the model cannot be fetched: said before a picture is chosen, and it goes on', on({ ready: false, fake: { load: { fail: 'network' } } }, async (page) => {
    await page.locator('#trouble[data-code="network"]').waitFor();
    await page.evaluate(() => { delete fake.load.fail; });
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.locator('#engine[data-state="ready"]').waitFor();
  }));

  test('a bad pack leaves the old model in place', on({}, async (page) => {
    await page.evaluate(() => { fake.load = { fail: 'bad-pack' }; });
    await page.locator('#file').setInputFiles({ name: 'bad.i2sb', mimeType: '', buffer: Buffer.from('x') });
    await page.locator('dialog [data-code="bad-pack"]').waitFor();
    assert.equal(await page.locator('#engine').getAttribute('data-state'), 'ready');
  }));
});
