// The WASM path in Firefox: with one thread, and with several in a page that is
// cross-origin isolated.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, visit } from './firefox.mjs';
import { out } from './paths.mjs';
import { serve } from './serve.mjs';

for (const isolated of [false, true]) {
  test(`load, restore as natively, abort, enlarge, keep, ${isolated ? 'several threads' : 'one thread'}`, { skip: missing }, async () => {
    const server = await serve({ '/': `${out}/site`, '/test/': import.meta.dirname, '/out/': out }, { isolated });
    const r = await visit(server, '/test/firefox.html').finally(server.close);
    console.log(`${r.psnr.toFixed(1)} dB; ${r.device.detail}; WebGPU: ${r.support.webgpu.reason || r.support.webgpu.adapter}`);
    assert.deepEqual([r.support.supported, r.support.cache.ok, r.support.threads.ok], [true, true, isolated]);
    assert.equal(r.device.kind, 'wasm');
    assert.equal(r.device.threads, isolated ? r.support.threads.count : 1);
    assert.deepEqual(r.stages, ['initiate', 'download', 'compile', 'ready']);
    assert.deepEqual(r.steps, [[1, 3, 96], [2, 3, 96], [3, 3, 96]]);
    assert.ok(r.psnr >= 48, `${r.psnr} dB`);
    assert.equal(r.aborted, 'aborted');
    assert.deepEqual(r.enlarged, [80, 48, 'image/png']);
    assert.equal(r.cached, true);
    assert.deepEqual(r.kept.map((k) => k.complete), [true]);
    if (!r.support.webgpu.ok) assert.equal(r.webgpu, 'unsupported');
  });
}
