// Builds what the tests serve, into out/.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { out, root } from './paths.mjs';

const run = (command, args, env = {}) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
const tool = join(out, 'i2sb-run');
const to = (name) => join(out, name);

mkdirSync(out, { recursive: true });
run('go', ['build', '-o', tool, './cmd/i2sb-run']);

rmSync(to('site'), { recursive: true, force: true });
run(tool, ['web', '--out', to('site')]);

// The smallest network, and pictures restored natively to compare with.
run(tool, ['pack', '--force', 'weights/testdata/checkpoint.pt', '--options', 'cmd/i2sb-run/testdata/options.json', '-o', to('tiny.i2sb')]);
run(tool, ['degrade', '--force', '--task', 'jpeg-10', 'testdata/canyon-wren.jpg', '-o', to('bad.png')]);
run(tool, ['restore', '--force', '--steps', '3', '--seed', '7', to('bad.png'), '-o', to('native.png')]);

// The packages' own tests, for the browser.
for (const [name, dir] of [['cpu', 'runtime/internal/cpu'], ['verify', 'runtime/verify'], ['driver', 'runtime/internal/gpu/driver']]) {
  run('go', ['test', '-c', '-o', to(`${name}.test.wasm`), `./${dir}`], { GOOS: 'js', GOARCH: 'wasm' });
  const data = join(root, dir, 'testdata');
  rmSync(to(name), { recursive: true, force: true });
  mkdirSync(to(name));
  let files = [];
  try {
    files = readdirSync(data);
    cpSync(data, to(name), { recursive: true });
  } catch {
    // a package without data
  }
  writeFileSync(join(to(name), 'files.json'), JSON.stringify(files));
}
