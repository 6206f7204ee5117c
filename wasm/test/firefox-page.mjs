// What Firefox does in firefox.test.mjs.
import { cache, isSupported, load } from '/i2sb/i2sb.mjs';
import { code, pixels, plain, psnr } from './page-helpers.mjs';

async function all() {
  const support = await isSupported();
  const progress = [];
  const model = await load('/packs/default.i2sb', { device: 'wasm', onProgress: (p) => progress.push(p) });
  const steps = [];
  const bad = await (await fetch('/out/bad.png')).blob();
  const restored = await model.restore(bad, {
    steps: 3, seed: 7, output: 'image-data', preview: 100, onStep: (s) => { steps.push([s.step, s.steps, s.preview?.width]); s.preview?.close(); },
  });
  const native = await pixels(await (await fetch('/out/native.png')).blob());
  const c = new AbortController();
  const aborted = await code(model.restore(plain(64, 64, [1, 2, 3, 255]), { steps: 100, signal: c.signal, onStep: () => c.abort() }));
  const blob = await model.restore(plain(20, 12, [200, 100, 50, 255]), { task: 'sr4x', output: 'blob' });
  const enlarged = await pixels(blob);
  model.dispose();
  const again = [];
  (await load('/packs/default.i2sb', { device: 'wasm', onProgress: (p) => again.push(p) })).dispose();
  return {
    support, device: model.info.device, stages: [...new Set(progress.map((p) => p.stage))], steps, psnr: Math.min(999, psnr(restored, native)), aborted,
    enlarged: [enlarged.width, enlarged.height, blob.type], cached: again.find((p) => p.stage === 'download').cached, kept: await cache.list(),
    webgpu: await code(load('/packs/default.i2sb', { device: 'webgpu' })),
  };
}

const report = (what) => fetch('/report', { method: 'POST', body: JSON.stringify(what) });
all().then(report, (error) => report({ error: `${error.code ?? ''} ${error.message}\n${error.stack}` }));
