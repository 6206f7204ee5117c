// The page that `i2sb-run serve` serves: it says that pictures are sent, sends
// them, and shows what comes back.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { choose, open } from './open.mjs';

const token = '0123456789abcdef0123456789abcdef';
const dir = mkdtempSync(join(tmpdir(), 'i2sb-remote-'));
let browser, server, url;

before(async () => {
  const program = join(dir, 'i2sb-run');
  execFileSync('go', ['build', '-o', program, './cmd/i2sb-run'], { cwd: fileURLToPath(new URL('../../..', import.meta.url)), stdio: 'inherit' });
  writeFileSync(join(dir, 'tokens'), `visitor ${token}\n`);
  server = spawn(program, ['serve', '--addr', '127.0.0.1:0', '--device', 'cpu', '--tokens', join(dir, 'tokens')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const lines = createInterface({ input: server.stderr });
  url = await new Promise((found) => lines.on('line', (l) => { if (l.includes('"serving"')) found(`http://${JSON.parse(l).address}/`); }));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.kill();
  rmSync(dir, { recursive: true, force: true });
});

test('a picture is sent and comes back', { timeout: 300_000 }, async () => {
  let asked = 0;
  const page = await open(browser, url, { ready: false, onDialog: (d) => { asked++; d.accept(token); } });
  await page.locator('#engine[data-state="ready"]').waitFor();
  assert.ok(asked > 0, 'it asks for the token');
  assert.equal(await page.locator('header .private').innerText(), 'Pictures are sent to this server');
  assert.match(await page.locator('.lead').innerText(), /sent to this server/);
  assert.match(await page.locator('#engine').innerText(), /^Server 127\.0\.0\.1/);
  await choose(page);
  await page.locator('#restore').click();
  await page.locator('body[data-phase="result"]').waitFor();
  const size = await page.locator('#picture .after').evaluate((i) => [i.naturalWidth, i.naturalHeight]);
  assert.deepEqual(size, [384, 256]);
  assert.match(await page.locator('#result-line').innerText(), /Restored in one step/);
  await page.locator('#engine').click();
  assert.ok(await page.getByRole('radio', { name: 'default' }).isChecked(), 'the server’s models are listed');
  assert.equal(await page.evaluate(() => navigator.serviceWorker.getRegistrations().then((all) => all.length)), 0);
  // The browser itself tells of the 401.
  assert.deepEqual(page.faults.filter((f) => !f.includes('401')), []);
  await page.context().close();
});
