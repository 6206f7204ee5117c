// Pictures in and out, in the worker.
import { I2SBError } from './errors.mjs';

const most = 1 << 28; // pixels

/** The pixels of a Blob, or of {width, height, strips} (bytes, or bitmaps to be closed), as {width, height, data}: RGBA, or what a mask may be. */
export async function read(picture, what = 'picture') {
  const { width, height, strips } = picture instanceof Blob ? await decoded(picture, what) : picture;
  if (!(strips[0] instanceof ImageBitmap)) return { width, height, data: strips.length === 1 ? strips[0] : joined(strips) };
  try {
    if (width * height > most) throw new I2SBError('out-of-memory', `a ${what} of ${width}×${height} pixels is more than the limit of ${most}`);
    const data = new Uint8ClampedArray(4 * width * height);
    let at = 0;
    for (const bitmap of strips) {
      const length = 4 * bitmap.width * bitmap.height;
      draw(bitmap, data.subarray(at, at + length));
      at += length;
    }
    return { width, height, data };
  } catch (error) {
    if (error instanceof I2SBError) throw error;
    throw new I2SBError('out-of-memory', `the browser cannot hold a ${what} of ${width}×${height} pixels: ${error.message}`);
  } finally {
    strips.forEach((bitmap) => bitmap.close());
  }
}

async function decoded(blob, what) {
  if (blob.size === 0) throw new I2SBError('bad-image', `the ${what} is empty`);
  try {
    const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' });
    return { width: bitmap.width, height: bitmap.height, strips: [bitmap] };
  } catch {
    throw new I2SBError('bad-image', `the ${what} (${blob.type || 'unknown type'}, ${blob.size} bytes) is damaged, too large, or of a kind that this browser does not read`);
  }
}

function joined(strips) {
  const all = new strips[0].constructor(strips.reduce((n, s) => n + s.length, 0));
  let at = 0;
  for (const s of strips) {
    all.set(s, at);
    at += s.length;
  }
  return all;
}

/** A bitmap's pixels into data, by way of a canvas that is smaller than any browser's limit. */
function draw(bitmap, data) {
  const { width, height } = bitmap;
  const w = Math.min(width, 8192);
  const h = Math.min(height, Math.ceil((1 << 22) / w));
  const context = new OffscreenCanvas(w, h).getContext('2d', { willReadFrequently: true });
  context.globalCompositeOperation = 'copy';
  for (let y = 0; y < height; y += h) {
    for (let x = 0; x < width; x += w) {
      context.drawImage(bitmap, -x, -y);
      const [columns, rows] = [Math.min(w, width - x), Math.min(h, height - y)];
      const part = context.getImageData(0, 0, columns, rows).data;
      if (columns === width) data.set(part, 4 * width * y);
      else for (let r = 0; r < rows; r++) data.set(part.subarray(4 * columns * r, 4 * columns * (r + 1)), 4 * (width * (y + r) + x));
    }
  }
}

/** A mask's values: one byte a pixel, white is the hole. */
export async function readMask(mask, width, height) {
  const { data, ...size } = await read(mask, 'mask');
  if (size.width !== width || size.height !== height) {
    throw new I2SBError('bad-image', `the mask has ${size.width}×${size.height} pixels, the picture ${width}×${height}`);
  }
  const pixels = width * height;
  if (data.length === pixels) return data;
  if (data.length !== 4 * pixels) throw new I2SBError('bad-image', `the mask has ${data.length} values for ${width}×${height} pixels`);
  const values = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const [r, g, b, a] = [data[4 * i], data[4 * i + 1], data[4 * i + 2], data[4 * i + 3]];
    values[i] = Math.round((0.299 * r + 0.587 * g + 0.114 * b) * a / 255);
  }
  return values;
}

/** Throws if a result of this size cannot become what is asked for, so that nobody waits for it in vain. */
export function writable(width, height, { output }) {
  const small = width * height <= 1 << 24 && Math.max(width, height) <= 1 << 13; // every browser holds it
  const large = width * height > 1 << 27; // more than this module has memory for, as it will say itself
  if (output !== 'blob' || small || large || holds(width, height)) return;
  const sides = [[width, 'width', (n) => [n, 1]], [height, 'height', (n) => [1, n]]];
  for (const [side, name, canvas] of sides) {
    if (holds(...canvas(side))) continue;
    let [most, less] = [side, 1]; // the limit lies between
    while (most - less > 1) {
      const n = (most + less) >> 1;
      if (holds(...canvas(n))) less = n;
      else most = n;
    }
    throw new I2SBError('out-of-memory', `a file of ${width}×${height} pixels cannot be made: the limit of this browser's canvas is a ${name} of ${less} (output "image-data" has none)`);
  }
  throw new I2SBError('out-of-memory', `a file of ${width}×${height} pixels cannot be made: it is more than this browser's canvas holds (output "image-data" has no such limit)`);
}

/** Whether there are canvases of a size. Beyond their limits browsers give one that forgets what is drawn, without a word. */
function holds(width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  try {
    context.fillRect(width - 1, height - 1, 1, 1);
    return context.getImageData(width - 1, height - 1, 1, 1).data[3] === 255;
  } catch {
    return false;
  }
}

/** What restore returns, of {width, height, data}. */
export async function write({ width, height, data }, { output = 'bitmap', type = 'image/png', quality }) {
  const image = new ImageData(data, width, height);
  if (output === 'image-data') return { value: image, transfer: [data.buffer] };
  if (output === 'blob') {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    if (!context) throw new I2SBError('out-of-memory', `the browser has no canvas of ${width}×${height} pixels left`);
    context.putImageData(image, 0, 0);
    const blob = await canvas.convertToBlob({ type, quality });
    if (blob.type !== type) throw new I2SBError('bad-option', `type ${type}: this browser writes ${blob.type} in its place`);
    return { value: blob, transfer: [] };
  }
  const bitmap = await createImageBitmap(image);
  return { value: bitmap, transfer: [bitmap] };
}
