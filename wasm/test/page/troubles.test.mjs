// What the page says and offers when something fails, with a fake module that fails.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choose } from './open.mjs';
import { calls, on, phase } from './visit.mjs';

describe('troubles', () => {
  const cases = {
    unsupported: 'Model and device', 'out-of-memory': 'Try small tiles', 'device-lost': 'Use the processor', 'bad-pack': 'Use the built-in model',
    'bad-image': 'Another picture', 'bad-option': 'Use the model’s settings', network: 'Go on', closed: 'Try again', internal: 'Try again', unheard: 'Try again',
  };
  for (const [code, action] of Object.entries(cases)) {
    test(`${code}: what it means and what to do`, on({ fake: { restore: { fail: { code, message: `the message of ${code}` } } } }, async (page) => {
      await choose(page);
      await page.locator('#restore').click();
      const box = page.getByRole('alert');
      await box.waitFor();
      assert.equal(await box.getAttribute('data-code'), code === 'unheard' ? 'internal' : code);
      if (!['out-of-memory', 'bad-option'].includes(code)) await box.getByText('What was reported').click();
      await box.getByText(new RegExp(`the message of ${code}`, 'i')).waitFor();
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
