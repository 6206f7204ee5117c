// Starts the Go module with the kernels bound to its memory.
import './wasm_exec.js';
import { I2SBError } from './errors.mjs';
import { relaxedSimd, simd } from './features.mjs';
import { Gpu } from './gpu.mjs';

const urls = (base) => base
  ? (name) => new URL(name, base)
  : (name) => ({
    'i2sb.wasm': new URL('./i2sb.wasm', import.meta.url),
    'kernels.wasm': new URL('./kernels.wasm', import.meta.url),
    'kernels-relaxed.wasm': new URL('./kernels-relaxed.wasm', import.meta.url),
  })[name];

/** Fetches and compiles a module while it comes in. */
async function compile(url) {
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new I2SBError('network', `${url}: ${error.message}`);
  }
  if (!response.ok) throw new I2SBError('network', `${url}: the server answers ${response.status}`);
  try {
    if (/^application\/wasm\b/.test(response.headers.get('content-type') ?? '')) {
      return await WebAssembly.compileStreaming(response);
    }
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new I2SBError('unsupported', `${url}: ${error.message}`);
  }
}

/**
 * Runs the module in this worker and returns what it exports. There is one
 * engine a worker. onEnd is called with an error when the module ends, which
 * it does only if memory runs out or by a fault.
 */
export async function start({ base, relaxed = true, argv = [], module = 'i2sb.wasm', env = {}, onEnd }) {
  if (!simd()) throw new I2SBError('unsupported', 'this browser has no WebAssembly vectors (SIMD): use one from 2021 or later, Safari from 16.4');
  const url = urls(base);
  relaxed &&= relaxedSimd();
  const [main, kernels] = await Promise.all([
    compile(typeof module === 'string' ? url(module) : module),
    compile(url(relaxed ? 'kernels-relaxed.wasm' : 'kernels.wasm')),
  ]);
  const go = new globalThis.Go();
  let instance, bound;
  const imports = {
    ...go.importObject,
    i2sb: {
      bind(stack) {
        bound = new WebAssembly.Instance(kernels, { env: { memory: instance.exports.mem } }).exports;
        bound.__stack_pointer.value = stack;
        return relaxed ? 1 : 0;
      },
      run(kernel, args, from, to, scratch) {
        bound.run(BigInt(kernel), BigInt(args >>> 0), BigInt(from), BigInt(to), BigInt(scratch >>> 0));
      },
    },
  };
  instance = await WebAssembly.instantiate(main, imports);
  const said = capture();
  go.argv = ['i2sb', ...argv];
  go.env = env;
  go.exit = (code) => {
    const text = said();
    onEnd?.(/out of memory|cannot allocate/.test(text)
      ? new I2SBError('out-of-memory', 'the browser gave this module no more memory')
      : new I2SBError('internal', `the module ended (${code}): ${text.split('\n')[0]}`), code);
  };
  const { port1, port2 } = new MessageChannel();
  const calls = {
    gpu: new Gpu(() => instance.exports.mem.buffer),
    /** A promise that is kept after the worker's waiting events. */
    turn: () => new Promise((done) => {
      port1.onmessage = done;
      port2.postMessage(0);
    }),
  };
  globalThis.i2sb = calls;
  await new Promise((ready, failed) => {
    calls.ready = ready;
    go.run(instance).then(() => failed(new I2SBError('internal', `the module ended: ${said()}`)), failed);
  });
  return { calls, kernels: relaxed ? 'wasm-relaxed' : 'wasm', usage: () => ({ wasm: instance.exports.mem.buffer.byteLength, handles: go._ids.size }) };
}

/** Keeps the end of what Go prints, besides showing it. */
function capture() {
  const print = globalThis.fs.writeSync;
  const decoder = new TextDecoder();
  let text = '';
  globalThis.fs.writeSync = function (fd, bytes) {
    if (text.length < 4096) text += decoder.decode(bytes, { stream: true });
    return print.call(this, fd, bytes);
  };
  return () => text;
}
