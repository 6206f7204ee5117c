// Threads for the kernels, where the page is cross-origin isolated: workers that
// run the kernels on Go's memory, which is a shared one then. While they work on
// a loop Go waits, so its heap stands still; between loops they sleep.
import { foreign, reachable } from './spawn.mjs';

// The words that engine and threads share. A loop's items go out in chunks: NEXT
// holds the loop's number and in its low bits the next chunk, which belongs to
// whoever counts NEXT up. That fails once the loop has ended, so that nothing
// that was read of one loop is ever used for another.
const [NEXT, LEFT, FAILED, KERNEL, ARGS, ITEMS, STEP, CHUNKS, TAKING] = Array(9).keys();
const most = 16; // threads
const STACK = 16;
const SCRATCH = STACK + most;
const words = SCRATCH + most;
const bits = 10;
const closed = (1 << bits) - 1;
const loopOf = (next) => next >> bits;

const patience = 3000; // looks before a thread sleeps: some tens of microseconds

/** Takes chunks of the loop that is set up until there are none. */
function take(shared, thread, kernels) {
  for (;;) {
    const next = Atomics.load(shared, NEXT);
    const chunk = next & closed;
    const [kernel, args, items, step] = [shared[KERNEL], shared[ARGS], shared[ITEMS], shared[STEP]];
    if (chunk >= shared[CHUNKS] || thread >= shared[TAKING]) return;
    if (Atomics.compareExchange(shared, NEXT, next, next + 1) !== next) continue;
    run(kernels, kernel, args, chunk * step, Math.min(items, (chunk + 1) * step), shared[SCRATCH + thread]);
    if (Atomics.sub(shared, LEFT, 1) === 1) Atomics.notify(shared, LEFT);
  }
}

/** Computes items of a kernel; addresses are words of 32 bits. */
export function run(kernels, kernel, args, from, to, scratch) {
  kernels.run(BigInt(kernel), BigInt(args >>> 0), BigInt(from), BigInt(to), BigInt(scratch >>> 0));
}

/** A thread's life; it does not return. */
export function serve(shared, thread, kernels) {
  for (let seen; ; seen = loopOf(Atomics.load(shared, NEXT))) {
    try {
      kernels.__stack_pointer.value = shared[STACK + thread];
      take(shared, thread, kernels);
    } catch { // a fault of the kernels
      Atomics.store(shared, FAILED, 1);
      Atomics.store(shared, LEFT, 0);
      Atomics.notify(shared, LEFT);
    }
    let next = Atomics.load(shared, NEXT);
    for (let i = 0; loopOf(next) === seen && i < patience; i++) next = Atomics.load(shared, NEXT);
    for (; loopOf(next) === seen; next = Atomics.load(shared, NEXT)) Atomics.wait(shared, NEXT, next);
  }
}

/** Why there cannot be several threads here, or nothing. */
export const unshared = () => globalThis.crossOriginIsolated ? '' : 'the page is not cross-origin isolated';

/** How many threads there are by default, and at most. */
export const usual = () => Math.max(1, Math.min(most, navigator.hardwareConcurrency || 1));

function spawn(base) {
  const url = base ? new URL('thread.mjs', base) : new URL('./thread.mjs', import.meta.url);
  if (base || foreign(url)) return new Worker(reachable(url), { type: 'module' });
  return new Worker(new URL('./thread.mjs', import.meta.url), { type: 'module' }); // in the form that bundlers know
}

/** The workers of all threads but the engine's own. */
export class Threads {
  shared = new Int32Array(new SharedArrayBuffer(4 * words));

  constructor(count, base) {
    this.count = Math.min(count, most);
    this.workers = Array.from({ length: this.count - 1 }, () => spawn(base));
    this.working = this.workers.map((worker) => new Promise((ready, failed) => {
      worker.addEventListener('message', ready, { once: true });
      worker.addEventListener('error', (event) => failed(new Error(event.message || 'thread.mjs was not loaded')), { once: true });
    }));
    this.working.forEach((w) => w.catch(() => {}));
  }

  /** Binds the kernels to a memory in every thread. */
  async begin(kernels, memory) {
    this.workers.forEach((worker, i) => worker.postMessage({ kernels, memory, shared: this.shared, thread: i + 1 }));
    await Promise.all(this.working);
  }

  /** Gives a thread its stack, before the first loop. */
  stack(thread, end) {
    this.shared[STACK + thread] = end;
  }

  /** Computes all items of a kernel on some of the threads, of which the caller is one. */
  loop(own, kernel, args, items, step, scratch) {
    const { shared } = this;
    const last = Atomics.load(shared, NEXT);
    Atomics.store(shared, NEXT, last | closed);
    const chunks = Math.ceil(items / step);
    shared[KERNEL] = kernel;
    shared[ARGS] = args;
    shared[ITEMS] = items;
    shared[STEP] = step;
    shared[CHUNKS] = chunks;
    shared[TAKING] = scratch.length;
    shared.set(scratch, SCRATCH);
    Atomics.store(shared, LEFT, chunks);
    Atomics.store(shared, NEXT, (loopOf(last) + 1) << bits);
    Atomics.notify(shared, NEXT);
    take(shared, 0, own);
    let left = Atomics.load(shared, LEFT);
    for (let i = 0; left > 0 && i < patience; i++) left = Atomics.load(shared, LEFT);
    for (; left > 0; left = Atomics.load(shared, LEFT)) Atomics.wait(shared, LEFT, left);
    if (shared[FAILED]) throw new Error('the kernels failed in one of their threads');
  }

  close() {
    this.workers.forEach((worker) => worker.terminate());
  }
}
