// One thread of the kernels; see threads.mjs.
import { serve } from './threads.mjs';

addEventListener('message', ({ data: { kernels, memory, shared, thread } }) => {
  const { exports } = new WebAssembly.Instance(kernels, { env: { memory } });
  postMessage('ready');
  serve(shared, thread, exports);
}, { once: true });
