// Each example does what it is there for.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { out } from './paths.mjs';
import { serve } from './serve.mjs';

let browser, server, bundled;

before(async () => {
  server = await serve({ '/': `${out}/examples` }, { csp: '' }); // examples have inline scripts
  bundled = await serve({ '/': `${out}/examples/vite/dist` });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
  bundled?.close();
});

async function visit(url) {
  const page = await browser.newPage();
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(error.message));
  await page.goto(url);
  return page;
}

test('ten lines', async () => {
  const page = await visit(`${server.url}/ten-lines.html`);
  await page.waitForFunction(() => document.querySelector('input').onchange);
  await page.setInputFiles('input', `${out}/bad.png`);
  await page.waitForFunction(() => document.querySelector('canvas').width === 384);
  assert.deepEqual(page.errors, []);
});

test('the element', async () => {
  const page = await visit(`${server.url}/element.html`);
  await page.waitForFunction(() => {
    const after = document.querySelector('i2sb-restore').shadowRoot?.querySelector('[part=after]');
    return after && !after.hidden && after.naturalWidth === 384;
  });
  assert.deepEqual(page.errors, []);
});

for (const [name, url] of [['in a worker', () => `${server.url}/worker/index.html`], ['bundled by vite', () => `${bundled.url}/`]]) {
  test(name, async () => {
    const page = await visit(url());
    await page.waitForFunction(() => /done.*image\/png/.test(document.querySelector('pre').textContent));
    assert.deepEqual(page.errors, []);
  });
}

test('the package holds what it names, and is small', () => {
  const dir = `${out}/package`;
  const about = JSON.parse(readFileSync(join(dir, 'package.json')));
  const files = readdirSync(dir);
  const named = Object.values(about.exports).flatMap((e) => (typeof e === 'string' ? [e] : Object.values(e))).filter((f) => !f.includes('*'));
  for (const file of [...named, 'i2sb.wasm', 'kernels.wasm', 'kernels-relaxed.wasm', 'wasm_exec.js', 'LICENSE', 'LICENSE-GO']) {
    assert.ok(files.includes(file.replace('./', '')), file);
  }
  assert.equal(about.dependencies, undefined);
  let total = 0;
  for (const file of files.filter((f) => /\.(wasm|mjs|js)$/.test(f))) {
    const size = brotliCompressSync(readFileSync(join(dir, file))).length;
    total += size;
    if (size > 10_000) console.log(`${file}: ${size} bytes of brotli`);
  }
  console.log(`in all ${total} bytes of brotli`);
  assert.ok(total <= 1_500_000, `${total} bytes`);
});
