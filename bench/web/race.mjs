// Races the browser module with onnxruntime-web on the default network, in
// headless Chromium, turn by turn, and prints medians:
//
//   bench/compare --setup; go run ./bench/race --works default/256x256 --rounds 1   # exports the network
//   (cd wasm/test && npm ci && npm run pretest)
//   node bench/web/race.mjs wasm 256 9     # or: wasm 256 9 2, with two threads; webgpu 64 3
//
// Ours is a whole restore of one step, pixels in and out; the peer's is one
// session.run. How far the two outputs are apart is held first, for the peer.
import { join } from 'node:path';
import { launch } from '../../wasm/test/browser.mjs';
import { out, root } from '../../wasm/test/paths.mjs';
import { serve } from '../../wasm/test/serve.mjs';

const [device = 'wasm', side = '256', rounds = '5', threads = '1', peers = join(root, 'bench/.peers')] = process.argv.slice(2);
const server = await serve({
  '/': `${out}/site`, '/test/': join(root, 'wasm/test'), '/ort/': join(peers, 'node_modules/onnxruntime-web/dist'), '/net/': join(peers, `default-${side}x${side}`),
}, { csp: '', isolated: threads !== '1' });
const browser = await launch({ webgpu: device === 'webgpu' });
const page = await browser.newPage();
await page.goto(`${server.url}/test/blank.html`);
page.setDefaultTimeout(0);
const result = await page.evaluate(async ({ device, side, rounds, threads }) => {
  const bytes = async (name) => new Uint8Array(await (await fetch(`/net/${name}`)).arrayBuffer());
  const floats = async (name) => new Float32Array((await bytes(name)).buffer);
  const timed = async (f) => {
    const start = performance.now();
    await f();
    return performance.now() - start;
  };
  const { load } = await import('/i2sb/i2sb.mjs');
  const ort = await import(device === 'webgpu' ? '/ort/ort.webgpu.min.mjs' : '/ort/ort.wasm.min.mjs');
  ort.env.wasm.wasmPaths = '/ort/';
  ort.env.wasm.numThreads = threads;
  const picture = new ImageData(side, side);
  for (let i = 0; i < picture.data.length; i++) picture.data[i] = i % 4 === 3 ? 255 : (i * 7919) % 251;
  let model, session;
  const r = { ours: [], theirs: [] };
  r.ourLoad = await timed(async () => { model = await load('/packs/default.i2sb', { device, cache: 'none', threads }); });
  r.theirLoad = await timed(async () => {
    session = await ort.InferenceSession.create(await bytes('model.onnx'), {
      executionProviders: [device], graphOptimizationLevel: 'all', externalData: [{ path: 'weights.safetensors', data: await bytes('weights.safetensors') }],
    });
  });
  const [x, t, want] = [await floats('x.f32'), await floats('t.f32'), await floats('y.ours.f32').catch(() => null)];
  const feeds = { x: new ort.Tensor('float32', x, [1, 3, side, side]), t: new ort.Tensor('float32', t, [1, t.length]) };
  r.ourFirst = await timed(() => model.restore(picture, { output: 'image-data', steps: 1 }));
  let y;
  r.theirFirst = await timed(async () => { y = (await session.run(feeds)).y.data; });
  if (want?.length === y.length) r.apart = y.reduce((m, v, i) => Math.max(m, Math.abs(v - want[i])), 0);
  for (let i = 0; i < rounds; i++) {
    r.ours.push(await timed(() => model.restore(picture, { output: 'image-data', steps: 1 })));
    r.theirs.push(await timed(() => session.run(feeds)));
  }
  r.device = model.info.device.detail;
  r.version = ort.env.versions.web;
  return r;
}, { device, side: Number(side), rounds: Number(rounds), threads: Number(threads) });
await browser.close();
server.close();
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const [ours, theirs] = [median(result.ours), median(result.theirs)];
console.log(`default network ${side}×${side}, ${device} (${result.device}) against onnxruntime-web ${result.version}, ${threads} thread${threads === '1' ? '' : 's'}, medians of ${rounds}`);
console.log(`            ours      theirs`);
console.log(`load     ${result.ourLoad.toFixed(0).padStart(7)} ${result.theirLoad.toFixed(0).padStart(10)} ms`);
console.log(`first    ${result.ourFirst.toFixed(0).padStart(7)} ${result.theirFirst.toFixed(0).padStart(10)} ms`);
console.log(`each     ${ours.toFixed(0).padStart(7)} ${theirs.toFixed(0).padStart(10)} ms   ${(theirs / ours).toFixed(2)} times`);
