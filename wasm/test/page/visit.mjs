// A visit to the page with a fake module in the real one's place, one browser
// for all tests of a file.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launch } from '../browser.mjs';
import { open } from './open.mjs';
import { serve } from './server.mjs';

export const host = {}; // browser and server, while tests run

before(async () => { [host.browser, host.server] = await Promise.all([launch(), serve()]); });
after(async () => {
  await host.browser?.close();
  await host.server?.close();
});

/** A test with the page open; nothing may be logged as an error. */
export const on = (options, f) => async () => {
  const page = await open(host.browser, host.server.url, options);
  try {
    await f(page);
    assert.deepEqual(page.faults, options.faults ?? []);
  } finally {
    await page.context().close();
  }
};

export const phase = (page, name) => page.locator(`body[data-phase="${name}"]`).waitFor();

/** What the page has asked the fake module for. */
export const calls = (page, what) => page.evaluate((w) => fake.calls[w], what);

const task = (name, scale = 1, mask = false) => ({ name, family: name, description: '', trained: [], sampler: 'posterior', steps: 1, scale, mask });

/** A pack that also fills in. */
export const withFill = { info: { tasks: [task('jpeg'), task('sr4x', 4), task('deblur'), task('inpaint', 1, true)] } };
