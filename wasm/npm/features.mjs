// What a browser can do, found out by trying.

const validates = (...body) => {
  const code = [0, ...body, 11]; // no locals … end
  const bytes = [
    0, 97, 115, 109, 1, 0, 0, 0,
    1, 5, 1, 96, 0, 1, 123, // type: () → v128
    3, 2, 1, 0, // one function
    10, code.length + 2, 1, code.length, ...code,
  ];
  try {
    return WebAssembly.validate(new Uint8Array(bytes));
  } catch {
    return false;
  }
};

const splat = [65, 0, 253, 15]; // i32.const 0, i8x16.splat

/** 128-bit vectors. */
export const simd = () => validates(...splat);

/** f32x4.relaxed_madd. */
export const relaxedSimd = () => validates(...splat, ...splat, ...splat, 253, 133, 2);

/** A WebGPU adapter, or why there is none. */
export async function adapter(options) {
  if (!globalThis.isSecureContext) return { reason: 'WebGPU needs a secure page (https or localhost)' };
  if (!navigator.gpu) return { reason: 'this browser has no WebGPU' };
  try {
    const found = await navigator.gpu.requestAdapter(options);
    if (!found) return { reason: 'the browser has WebGPU but gives no adapter' };
    const info = found.info ?? {};
    const name = info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(' ') || 'unnamed adapter';
    const software = Boolean(info.isFallbackAdapter ?? found.isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(name);
    return { adapter: found, name, software, reason: '' };
  } catch (error) {
    return { reason: `the browser refused an adapter: ${error.message}` };
  }
}
