// Starts the Go module with the kernels bound to its memory.
import './wasm_exec.js';
import { I2SBError } from './errors.mjs';
import { relaxedSimd, simd } from './features.mjs';
import { Gpu } from './gpu.mjs';
import { shared, takeShared } from './shared.mjs';
import { Threads, run, unshared, usual } from './threads.mjs';

const urls = (base) => base
  ? (name) => new URL(name, base)
  : (name) => ({
    'i2sb.wasm': new URL('./i2sb.wasm', import.meta.url),
    'kernels.wasm': new URL('./kernels.wasm', import.meta.url),
    'kernels-relaxed.wasm': new URL('./kernels-relaxed.wasm', import.meta.url),
  })[name];

/** Fetches and compiles a module: while it comes in, unless its memory is to be shared. */
async function compile(url, sharing) {
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new I2SBError('network', `${url}: ${error.message}`);
  }
  if (!response.ok) throw new I2SBError('network', `${url}: the server answers ${response.status}`);
  try {
    if (sharing) return await WebAssembly.compile(await shared(new Uint8Array(await response.arrayBuffer())));
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
 * engine a worker, with as many threads as were asked for (0: as the machine
 * has) if it may have several; `alone` says why it has one. onEnd is called
 * with an error when the module ends, which it does only if memory runs out or
 * by a fault.
 */
export async function start(options) {
  const { base, threads: count = 0, relaxed: mayRelax = true, argv = [], module = 'i2sb.wasm', env = {}, onEnd } = options;
  if (!simd()) throw new I2SBError('unsupported', 'this browser has no WebAssembly vectors (SIMD): use one from 2021 or later, Safari from 16.4');
  const alone = options.alone ?? (count === 1 ? 'as asked for' : unshared() || (!count && usual() === 1 ? 'this machine has no more' : ''));
  const url = urls(base);
  const relaxed = mayRelax && relaxedSimd();
  const threads = alone ? null : new Threads(count || usual(), base);
  const [main, kernels] = await Promise.all([
    compile(typeof module === 'string' ? url(module) : module, threads),
    compile(url(relaxed ? 'kernels-relaxed.wasm' : 'kernels.wasm'), threads),
  ]);
  const go = new globalThis.Go();
  let instance, bound;
  const imports = {
    ...go.importObject,
    i2sb: {
      threads: () => threads?.count ?? 1,
      bind(thread, stack) {
        threads?.stack(thread, stack);
        if (thread > 0) return;
        bound = new WebAssembly.Instance(kernels, { env: { memory: instance.exports.mem } }).exports;
        bound.__stack_pointer.value = stack;
      },
      relaxed: () => Number(relaxed),
      run: (...items) => run(bound, ...items),
      share(kernel, args, items, step, scratch, n) {
        threads.loop(bound, kernel, args, items, step, new Int32Array(instance.exports.mem.buffer, scratch >>> 0, n));
      },
    },
  };
  try {
    instance = await WebAssembly.instantiate(main, imports);
    await threads?.begin(kernels, instance.exports.mem);
  } catch (error) {
    if (!threads) throw new I2SBError('out-of-memory', `the browser gives this module no memory (${error.message})`);
    threads.close();
    return start({ ...options, alone: `the browser gives no more (${error.message})` });
  }
  if (threads) takeShared();
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
  return { calls, alone, kernels: relaxed ? 'wasm-relaxed' : 'wasm', usage: () => ({ wasm: instance.exports.mem.buffer.byteLength, handles: go._ids.size }) };
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
