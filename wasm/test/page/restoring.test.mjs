// What the visitor does with a picture, with a fake module in the real one's place.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { choose, restored } from './open.mjs';
import { painted } from './pictures.mjs';
import { calls, on, phase } from './visit.mjs';

describe('restoring', () => {
  test('steps, previews, result, download', on({ fake: { restore: { hold: { call: 1, step: 1 } } } }, async (page) => {
    await choose(page);
    await page.locator('#sharpness').fill('1');
    await page.locator('#restore').click();
    await page.locator('#progress').getByText('Step 2 of 2').waitFor();
    await page.locator('#picture[data-shows="walk"]').waitFor();
    assert.match(await page.title(), /^\d+ % – i2sb$/);
    assert.ok(await page.locator('#picture canvas').evaluate((c) => c.width >= 384));
    await page.evaluate(() => fake.go());
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

  test('cancel, by button and by Escape, and again', on({ fake: { restore: { stepMs: 1e7 } } }, async (page) => {
    await choose(page);
    for (const stop of [() => page.getByRole('button', { name: 'Cancel' }).click(), () => page.keyboard.press('Escape')]) {
      await page.locator('#restore').click();
      await page.locator('#progress').waitFor();
      await stop();
      await phase(page, 'ready');
      assert.equal(await page.locator('#trouble').isVisible(), false, 'to cancel is no error');
    }
    await page.evaluate(() => { fake.restore.stepMs = 10; });
    await restored(page);
  }));

  test('another picture ends the walk', on({ fake: { restore: { stepMs: 1e7 } } }, async (page) => {
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

  test('a hidden tab: no previews, the title tells, the result comes', on({ fake: { restore: { hold: { call: 1, step: 2 } } } }, async (page) => {
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
    await page.waitForFunction(() => document.title === '50 % – i2sb', null, { polling: 50 }); // no frames here
    await page.waitForFunction(() => fake.go, null, { polling: 50 });
    await page.evaluate(() => fake.go());
    await page.waitForFunction(() => document.title === 'Restored – i2sb', null, { polling: 50 });
    assert.equal(await page.evaluate(() => globalThis.walks), 0);
  }));

  test('the GPU goes away and the walk goes on', on({ fake: { restore: { hold: { call: 1, step: 1 } } } }, async (page) => {
    await choose(page);
    await page.locator('#restore').click();
    await phase(page, 'walking');
    await page.evaluate(() => fake.model.dispatchEvent(new CustomEvent('device-lost', { detail: { reason: 'unknown', device: { ...fake.model.info.device, detail: 'Going on with the processor.' } } })));
    await page.getByText('The graphics processor went away. Going on with the processor.').waitFor();
    await page.waitForFunction(() => fake.go);
    await page.evaluate(() => fake.go());
    await phase(page, 'result');
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

  test('cancelled in the middle: what was made stays', on({ fake: { restore: { hold: { call: 3, step: 1 } } } }, async (page) => {
    await choose(page);
    await page.locator('#sharpness').fill('1');
    await page.getByRole('button', { name: 'Compare seeds' }).click();
    await page.waitForFunction(() => fake.go);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await phase(page, 'result');
    assert.equal(await page.getByRole('radio', { name: /Seed/ }).count(), 2);
  }));
});
