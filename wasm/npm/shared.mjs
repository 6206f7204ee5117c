// WebAssembly modules on a memory that several workers see. Go makes, and the
// kernels import, an ordinary one; with a shared one both are the same but for
// a flag and a limit, which are changed in the module's bytes.

const pages = 1 << 16; // 4 GiB: a shared memory has to name the most that it may grow to
const [imported, memories] = [2, 5]; // numbers of sections
const [ofFunction, ofMemory] = [0, 2]; // kinds of imports

/** A module's bytes with every memory shared. */
export function shared(bytes) {
  const out = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length;) {
    const [size, body] = number(bytes, at + 1);
    const next = body + size;
    const change = { [imported]: imports, [memories]: limits }[bytes[at]];
    if (change) {
      const changed = change(bytes, body);
      out.push(Uint8Array.of(bytes[at], ...digits(changed.length)), changed);
    } else {
      out.push(bytes.subarray(at, next));
    }
    at = next;
  }
  return new Blob(out).arrayBuffer();
}

/** An unsigned LEB128 number, and where it ends. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const b = bytes[at++];
    value += (b & 127) * 2 ** shift;
    if (b < 128) return [value, at];
  }
}

function digits(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push(128 | value & 127);
  return [...out, value];
}

/** The memory section: one memory, and its limits. */
function limits(bytes, at) {
  const [, least] = number(bytes, at + 2);
  return Uint8Array.of(bytes[at], 3, ...bytes.subarray(at + 2, least), ...digits(pages));
}

/** The imports, with memories shared. */
function imports(bytes, at) {
  let [left, from] = number(bytes, at);
  const out = digits(left);
  for (at = from; left > 0; left--) {
    for (const _ of ['module', 'name']) {
      const [length, text] = number(bytes, at);
      at = text + length;
    }
    const kind = bytes[at++];
    if (kind === ofMemory) {
      const [, least] = number(bytes, at + 1);
      out.push(...bytes.subarray(from, at), 3, ...bytes.subarray(at + 1, least), ...digits(pages));
      at = from = bytes[at] & 1 ? number(bytes, least)[1] : least;
    } else if (kind === ofFunction) {
      [, at] = number(bytes, at);
    } else {
      throw new Error(`an import of kind ${kind} in a module of ours`);
    }
  }
  return Uint8Array.of(...out, ...bytes.subarray(from, at));
}

/** Lets what Go hands to the browser lie in shared memory, where the browser wants its own: it gets copies. */
export function takeShared() {
  const own = (view) => view?.buffer instanceof SharedArrayBuffer ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice() : view;
  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (view, options) { return decode.call(this, own(view), options); };
  const random = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = (view) => {
    view.set(random(own(view)));
    return view;
  };
}
