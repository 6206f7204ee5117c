// Pictures in and out, in the worker.
import { I2SBError } from './errors.mjs';

const most = 1 << 28; // pixels; what a canvas takes is less on phones

/** The pixels of a Blob, ImageBitmap or ImageData as {width, height, data}, RGBA. */
export async function read(picture, what = 'picture') {
  if (picture.data) { // ImageData, or what a mask may be
    return { width: picture.width, height: picture.height, data: picture.data };
  }
  let bitmap = picture;
  if (picture instanceof Blob) {
    if (picture.size === 0) throw new I2SBError('bad-image', `the ${what} is empty`);
    try {
      bitmap = await createImageBitmap(picture, { imageOrientation: 'from-image' });
    } catch {
      throw new I2SBError('bad-image', `the ${what} (${picture.type || 'unknown type'}, ${picture.size} bytes) is damaged, or of a kind that this browser does not read`);
    }
  }
  const { width, height } = bitmap;
  try {
    if (width * height > most) throw new I2SBError('out-of-memory', `a ${what} of ${width}×${height} pixels is more than the limit of ${most}`);
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new I2SBError('out-of-memory', `the browser has no canvas of ${width}×${height} pixels`);
    context.drawImage(bitmap, 0, 0);
    return { width, height, data: context.getImageData(0, 0, width, height).data };
  } catch (error) {
    if (error instanceof I2SBError) throw error;
    throw new I2SBError('out-of-memory', `the browser cannot hold a ${what} of ${width}×${height} pixels: ${error.message}`);
  } finally {
    bitmap.close();
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

/** What restore returns, of {width, height, data}. */
export async function write({ width, height, data }, { output = 'bitmap', type = 'image/png', quality }) {
  const image = new ImageData(data, width, height);
  if (output === 'image-data') return { value: image, transfer: [data.buffer] };
  if (output === 'blob') {
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d').putImageData(image, 0, 0);
    const blob = await canvas.convertToBlob({ type, quality });
    if (blob.type !== type) throw new I2SBError('bad-option', `type ${type}: this browser writes ${blob.type} in its place`);
    return { value: blob, transfer: [] };
  }
  const bitmap = await createImageBitmap(image);
  return { value: bitmap, transfer: [bitmap] };
}
