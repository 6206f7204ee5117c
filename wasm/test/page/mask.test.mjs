// Painting what is to be filled in, with a fake module in the real one's place.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choose, restored } from './open.mjs';
import { painted } from './pictures.mjs';
import { calls, on, withFill } from './visit.mjs';

const part = async (page) => (await calls(page, 'restore')).at(-1).mask.part;

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
