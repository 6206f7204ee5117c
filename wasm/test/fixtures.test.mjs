// The packages' own tests in the browser: every operator against the
// reference executor, and the fixtures of the reference implementation, but for
// training, which the module has not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { gotest } from './gotest.mjs';
import { serve } from './serve.mjs';
import { out } from './paths.mjs';

let server, browser, page;

before(async () => {
  server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out }, { isolated: true });
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`${server.url}/i2sb/package.json`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

// The walks differ in their coefficients alone: those of one sampler will do.
const walks = process.env.I2SB_LONG ? 'none' : 'TestOperators/wasm/^(ode|overshoot|i3sb|dbim.*|ab2|2m|heun)_OT-ODE';

for (const relaxed of [true, false]) {
  const kernels = relaxed ? 'wasm-relaxed' : 'wasm';
  const threads = relaxed ? 3 : 1;
  test(`every operator, ${kernels}, on ${threads} of the page's threads`, async () => {
    const output = await gotest(page, 'cpu', { argv: ['-test.v', '-test.run', 'TestOperators', '-test.skip', walks], relaxed, threads });
    assert.match(output, new RegExp(`--- PASS: TestOperators/${kernels} `));
  });
  test(`fixtures, ${kernels}`, async () => {
    const output = await gotest(page, 'verify', { argv: ['-test.v', '-test.run', 'TestFixtures', '-test.skip', 'TestFixtures/train-'], relaxed });
    for (const name of ['unet-plain', 'unet-cond', 'unet-class', 'sample-sde', 'sample-inpaint', 'operators', 'schedule', 'checkpoint.expected']) {
      assert.match(output, new RegExp(`--- PASS: TestFixtures/${name}.safetensors`));
    }
  });
}
