// What the page promises: it stays on its host, works offline, is open to
// everybody and never freezes.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { bird, choose, open, restored } from './open.mjs';
import { painted } from './pictures.mjs';
import { serve } from './server.mjs';
import { frozen, mainThread } from '../tasks.mjs';
import { host, phase, withFill } from './visit.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
describe('nothing leaves', () => {
  test('no request to another host, in a whole visit; the policy forbids it', async () => {
    const page = await open(host.browser, host.server.url);
    const asked = [];
    page.context().on('request', (r) => asked.push(r.url()));
    await choose(page);
    await restored(page);
    assert.deepEqual(asked.filter((u) => !u.startsWith(host.server.url) && !u.startsWith('blob:') && !u.startsWith('data:')), []);
    assert.ok(asked.length > 0);
    for (const attempt of ["fetch('http://localhost:9/x')", "new Promise((y, n) => { const i = new Image(); i.onload = y; i.onerror = n; i.src = 'http://localhost:9/x.png'; })",
      "new Promise((y, n) => { const w = new WebSocket('ws://localhost:9/'); w.onopen = y; w.onerror = n; })", "import('data:text/javascript,1')"]) {
      const violated = page.evaluate(() => new Promise((told) => { document.addEventListener('securitypolicyviolation', (e) => told(e.effectiveDirective), { once: true }); }));
      await assert.rejects(page.evaluate(attempt), undefined, attempt);
      assert.match(await violated, /^(connect|img|script)-src/, attempt);
    }
    await page.context().close();
  });

  test('nor from a worker, once the service worker is there: it refuses, and gives the policy to scripts', async () => {
    const page = await open(host.browser, host.server.url);
    await page.locator('html[data-offline="ready"]').waitFor({ state: 'attached' });
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    const policy = await page.evaluate(async () => (await fetch('app.mjs')).headers.get('Content-Security-Policy'));
    assert.match(policy, /^default-src 'none'/);
    await page.context().close();
  });
});

describe('offline', () => {
  test('the page and the module come from the device', async () => {
    const own = await serve({ base: '/any/path/' });
    const page = await open(host.browser, own.url);
    await page.locator('html[data-offline="ready"]').waitFor({ state: 'attached' });
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    await own.close(); // the host is gone, not only the network
    await page.reload();
    await page.locator('#engine[data-state="ready"]').waitFor();
    await choose(page);
    await restored(page);
    await page.getByRole('button', { name: 'Processor' }).click();
    await page.getByText('The page works without a network now.').waitFor();
    const fresh = await page.context().newPage();
    await fresh.goto(own.url);
    await fresh.locator('#engine[data-state="ready"]').waitFor();
    await page.context().close();
  });
});

describe('open to everybody', () => {
  const check = async (page, state) => {
    // Injected text would meet the policy; a debugger's evaluation does not.
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations
      .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary}`).join(' | ')}`));
    assert.deepEqual(found, [], state);
  };
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing in any state, ${colorScheme}`, async () => {
      const page = await open(host.browser, host.server.url, { colorScheme, reducedMotion: 'reduce', fake: { ...withFill, restore: { stepMs: 30 } } });
      await check(page, 'empty');
      await choose(page);
      await check(page, 'ready');
      await page.getByText('Fine settings').click();
      await page.getByRole('radio', { name: /Fill in/ }).check();
      await check(page, 'mask and fine settings');
      await page.locator('#restore').click();
      await page.locator('#trouble').waitFor();
      await check(page, 'trouble');
      await page.getByRole('radio', { name: /Artefacts/ }).check();
      await page.evaluate(() => { fake.restore.stepMs = 1e7; });
      await page.locator('#restore').click();
      await phase(page, 'walking');
      await check(page, 'walking');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.evaluate(() => { fake.restore.stepMs = 10; });
      await page.locator('#sharpness').fill('1');
      await page.getByRole('button', { name: 'Compare seeds' }).click();
      await page.locator('[data-seed="3"] img').waitFor();
      await phase(page, 'result');
      await check(page, 'result and seeds');
      await page.locator('#zoom').click();
      await check(page, 'actual pixels');
      await page.locator('#engine').click();
      await page.getByRole('dialog').waitFor();
      await check(page, 'settings');
      await page.context().close();
    });
  }

  test('a narrow phone: axe, no sideways scrolling, targets of 40 pixels', async () => {
    const page = await open(host.browser, host.server.url, { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true, fake: withFill });
    await choose(page, await painted(page, 500, 1400, `${'a very long name '.repeat(9)}.jpg`));
    await page.getByRole('radio', { name: /Fill in/ }).check();
    const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.equal(await sideways(), 0);
    await page.getByRole('radio', { name: /Artefacts/ }).check();
    await restored(page);
    assert.equal(await sideways(), 0);
    const small = await page.evaluate(() => [...document.querySelectorAll('button, a, select, input:not([type="radio"], [type="file"], [type="range"])')]
      .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 40).map((e) => e.outerHTML.slice(0, 80)));
    assert.deepEqual(small, []);
    await check(page, 'phone');
    await page.context().close();
  });

  test('by keys alone: choose, restore, compare, download', async () => {
    const page = await open(host.browser, host.server.url);
    const to = async (what) => {
      for (let i = 0; i < 40; i++) {
        if (await page.evaluate((w) => document.activeElement?.matches(w), what)) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`Tab never comes to ${what}`);
    };
    const asked = page.waitForEvent('filechooser'); // early: the browser has to be told to hand it over
    await to('#pick');
    await page.keyboard.press('Enter');
    await (await asked).setFiles(bird);
    await phase(page, 'ready');
    await page.locator('#restore:focus').waitFor();
    await page.keyboard.press('Shift+Tab');
    await to('#other');
    await page.evaluate(() => document.body.focus());
    await to('[name="task"]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.locator('[name="task"]:checked').getAttribute('value'), 'deblur');
    await to('#sharpness');
    await page.keyboard.press('ArrowRight');
    await to('#restore');
    await page.keyboard.press('Enter');
    await phase(page, 'result');
    await page.locator('#download:focus').waitFor();
    const coming = page.waitForEvent('download');
    await page.keyboard.press('Enter');
    await coming;
    await page.evaluate(() => document.body.focus());
    await to('#picture input');
    await page.keyboard.press('PageUp');
    assert.notEqual(await page.locator('#picture input').inputValue(), '50');
    await to('#engine');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#engine:focus').waitFor();
    await page.context().close();
  });

  test('reduced motion: nothing moves', async () => {
    const page = await open(host.browser, host.server.url, { reducedMotion: 'reduce', fake: { restore: { stepMs: 1e7 } } });
    await choose(page);
    await page.locator('#restore').click();
    await phase(page, 'walking');
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    await page.context().close();
    const moving = await open(host.browser, host.server.url, { fake: { restore: { stepMs: 1e7 } } });
    await choose(moving);
    await moving.locator('#restore').click();
    await moving.waitForFunction(() => document.getAnimations().length > 0);
    await moving.context().close();
  });
});

test('no task of the main thread is long, in a whole visit', async (t) => {
  const maker = await host.browser.newPage();
  const { buffer } = await painted(maker, 4000, 3000, 'large.jpg');
  await maker.close();
  const large = join(await mkdtemp(join(tmpdir(), 'i2sb-')), 'large.jpg');
  await writeFile(large, buffer);
  const page = await open(host.browser, host.server.url, { fake: { ...withFill, restore: { stepMs: 60 } } });
  const longest = await mainThread(page);
  await choose(page, large); // by its path: a buffer would be decoded in the page
  await page.getByRole('radio', { name: /Fill in/ }).check();
  const box = await page.locator('#mask').boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  for (let i = 1; i < 30; i++) await page.mouse.move(box.x + 20 + 10 * i, box.y + 20 + 60 * (i % 3));
  await page.mouse.up();
  await page.getByRole('radio', { name: /Artefacts/ }).check();
  await page.locator('#sharpness').fill('2');
  await restored(page);
  await page.locator('#picture input').press('PageUp');
  const { busy, wall } = await longest();
  await page.context().close();
  await rm(dirname(large), { recursive: true });
  t.diagnostic(`the longest task took ${busy.toFixed(1)} ms of the processor, ${wall.toFixed(1)} by the clock`);
  assert.ok(busy <= frozen, `${busy} ms`);
});
