import { load } from '../i2sb/i2sb.mjs';

const model = await load('../packs/default.i2sb', { onProgress: (p) => postMessage(p) });
const picture = await (await fetch('../example.jpg')).blob();
const blob = await model.restore(picture, { task: 'jpeg', output: 'blob', onStep: (step) => postMessage(step) });
postMessage({ done: true, type: blob.type, bytes: blob.size });
model.dispose();
