// Builds what the tests serve, into out/.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
for (const [name, dir, more = []] of [
  ['cpu', 'runtime/internal/cpu'], ['driver', 'runtime/internal/gpu/driver'],
  ['verify', 'runtime/verify', ['weights/testdata/checkpoint.pt', 'weights/testdata/checkpoint.legacy.pt']],
]) {
  run('go', ['test', '-c', '-o', to(`${name}.test.wasm`), `./${dir}`], { GOOS: 'js', GOARCH: 'wasm' });
  rmSync(to(name), { recursive: true, force: true });
  const data = `${dir}/testdata`;
  const files = [...existsSync(join(root, data)) ? readdirSync(join(root, data)).map((f) => `${data}/${f}`) : [], ...more];
  for (const f of files) cpSync(join(root, f), join(to(name), f), { recursive: true });
  mkdirSync(to(name), { recursive: true });
  writeFileSync(join(to(name), 'files.json'), JSON.stringify({ dir, files }));
}

// The examples, beside what they use; vite's from the package as npm packs it.
rmSync(to('examples'), { recursive: true, force: true });
cpSync(join(root, 'wasm/examples'), to('examples'), { recursive: true });
for (const part of ['i2sb', 'packs']) cpSync(join(to('site'), part), join(to('examples'), part), { recursive: true });
cpSync(to('bad.png'), join(to('examples'), 'example.jpg')); // browsers look at the bytes
rmSync(to('package'), { recursive: true, force: true });
execFileSync('npm', ['pack', '--silent', '--pack-destination', out], { cwd: join(root, 'wasm/npm'), stdio: 'ignore' });
const { version } = JSON.parse(readFileSync(join(root, 'wasm/npm/package.json')));
run('tar', ['-xzf', to(`i2sb-${version}.tgz`), '-C', out]);
const vite = join(to('examples'), 'vite');
mkdirSync(join(vite, 'node_modules'), { recursive: true });
cpSync(to('package'), join(vite, 'node_modules/i2sb'), { recursive: true });
execFileSync(process.execPath, [join(import.meta.dirname, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'], { cwd: vite, stdio: 'inherit' });
for (const file of ['packs/default.i2sb', 'example.jpg']) cpSync(join(to('examples'), file), join(vite, 'dist', file));
