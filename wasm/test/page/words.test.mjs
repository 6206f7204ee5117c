// What needs no browser: numbers in words, the dial's places, strokes.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bytes, bytesOf, duration, restoredName } from '../../page/site/format.mjs';
import { Strokes } from '../../page/site/strokes.mjs';
import { site } from './server.mjs';

test('numbers in words', () => {
  assert.equal(bytes(999), '999 B');
  assert.equal(bytes(1500), '1.5 kB');
  assert.equal(bytes(999_600), '1.0 MB');
  assert.equal(bytes(4_194_814), '4.2 MB');
  assert.equal(bytes(22e9), '22 GB');
  assert.equal(bytesOf(2_100_000, 4_194_814), '2.1 of 4.2 MB');
  assert.equal(bytesOf(210_000, 4_194_814), '210 kB of 4.2 MB');
  assert.equal(bytesOf(210_000, null), '210 kB');
  assert.equal(duration(830), '0.8 s');
  assert.equal(duration(59_700), '1 min 0 s');
  assert.equal(duration(125_400), '2 min 5 s');
});

test('the result is named as i2sb-run names it', () => {
  assert.equal(restoredName('photo.jpg'), 'photo.restored.png');
  assert.equal(restoredName('a.b.webp', 7), 'a.b.restored.seed7.png');
  assert.equal(restoredName('no extension'), 'no extension.restored.png');
});

test('strokes: undo, redo, and a clear that can be undone', () => {
  const s = new Strokes();
  const dab = { erase: false, size: 4, points: [1, 1] };
  assert.ok(s.empty && !s.undo() && !s.redo());
  s.add({ ...dab });
  s.add({ ...dab, erase: true });
  assert.ok(!s.empty && s.canUndo && !s.canRedo);
  s.clear();
  assert.ok(s.empty && s.canUndo);
  s.undo();
  assert.ok(!s.empty && s.canRedo);
  s.undo();
  s.add({ ...dab });
  assert.ok(!s.canRedo, 'a new stroke ends what could be done again');
});

test('every error of the contract is explained', () => {
  const types = readFileSync(new URL('../../npm/i2sb.d.ts', import.meta.url), 'utf8');
  const codes = [...types.slice(types.indexOf('type ErrorCode')).split(';')[0].matchAll(/'([a-z-]+)'/g)].map((m) => m[1]);
  const text = readFileSync(`${site}/errors.mjs`, 'utf8');
  assert.ok(codes.length >= 10);
  for (const code of codes) assert.ok(code === 'aborted' || new RegExp(`^  '?${code}'?: \\[`, 'm').test(text), code);
});

test('no script, style or handler stands in the page itself', () => {
  const html = readFileSync(`${site}/index.html`, 'utf8');
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/);
  for (const f of readdirSync(site, { recursive: true }).filter((f) => /\.m?js$/.test(f))) {
    assert.doesNotMatch(readFileSync(`${site}/${f}`, 'utf8'), /\beval\(|new Function|innerHTML|insertAdjacentHTML/, f);
  }
});
