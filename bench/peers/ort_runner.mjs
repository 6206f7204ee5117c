// Evaluates an export with onnxruntime-node, on the provider that a last argument
// names (webgpu, else the CPU), or with onnxruntime-web's WASM (web): once, writing the result, then once for every
// line of standard input, printing the milliseconds of each.
import fs from 'node:fs';
import readline from 'node:readline';

const [folder, result, width, height, threads, on] = process.argv.slice(2);
const read = (name) => new Float32Array(new Uint8Array(fs.readFileSync(`${folder}/${name}.f32`)).buffer);
let session, ort, name;
if (on === 'web') {
  ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = Number(threads);
  session = await ort.InferenceSession.create(new Uint8Array(fs.readFileSync(`${folder}/model.onnx`)), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    externalData: [{ path: 'weights.safetensors', data: new Uint8Array(fs.readFileSync(`${folder}/weights.safetensors`)) }],
  });
  name = `onnxruntime-web ${ort.env.versions.web}, ${ort.env.wasm.numThreads} threads`;
} else {
  ort = await import('onnxruntime-node');
  session = await ort.InferenceSession.create(`${folder}/model.onnx`, {
    executionProviders: [on || 'cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
  });
  name = `onnxruntime-node ${ort.env.versions.node}${on ? `, ${on}` : ''}`;
}
const x = read('x');
const feeds = {
  x: new ort.Tensor('float32', x, [1, x.length / (width * height), Number(height), Number(width)]),
  t: new ort.Tensor('float32', read('t'), [1, read('t').length]),
};
const { y } = await session.run(feeds);
fs.writeFileSync(result, new Uint8Array(y.data.buffer, y.data.byteOffset, y.data.byteLength));
console.log('ready:', name);
for await (const _ of readline.createInterface({ input: process.stdin })) {
  const start = performance.now();
  await session.run(feeds);
  console.log(performance.now() - start);
}
process.exit(0);
