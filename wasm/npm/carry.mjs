// Pictures on their way from the page to its worker, in tasks that are short.
import { I2SBError } from './errors.mjs';

/** A picture as a worker can take it; what is given stays the caller's. */
export async function carry(picture, what, transfer, signal) {
  if (picture instanceof Blob) return picture;
  if (picture instanceof ImageData || (what === 'mask' && ArrayBuffer.isView(picture?.data))) return strips(picture, transfer);
  const kinds = ['ImageBitmap', 'HTMLImageElement', 'HTMLCanvasElement', 'OffscreenCanvas', 'VideoFrame'];
  if (!kinds.some((k) => globalThis[k] && picture instanceof globalThis[k])) {
    throw new I2SBError('bad-image', `the ${what} is none of Blob, ImageData, ${kinds.join(', ')}`);
  }
  try {
    if (globalThis.HTMLImageElement && picture instanceof HTMLImageElement) {
      await picture.decode();
      const file = await fileOf(picture, signal);
      if (file) return file;
    }
    return await crops(await createImageBitmap(picture), transfer);
  } catch (error) {
    throw new I2SBError('bad-image', `the ${what} has no pixels that can be read: ${error.message}`, { cause: error });
  }
}

const strip = 1 << 20; // pixels; a copy of all of a large picture in one task would hold up the page

const nextTask = () => new Promise((next) => setTimeout(next));

/** Pixels in copies of strips, a task each. */
async function strips({ width, height, data }, transfer) {
  const list = [];
  for (let at = 0; at < data.length || list.length === 0; at += 4 * strip) {
    if (at > 0) await nextTask();
    list.push(data.slice(at, at + 4 * strip));
    transfer.push(list.at(-1).buffer);
  }
  return { width, height, strips: list };
}

/** A bitmap, which is this function's to close, in copies of strips, a task each. */
async function crops(bitmap, transfer) {
  const { width, height } = bitmap;
  if (width * height <= strip) {
    transfer.push(bitmap);
    return { width, height, strips: [bitmap] };
  }
  const list = [];
  const rows = Math.max(1, Math.floor(strip / width));
  for (let y = 0; y < height; y += rows) {
    await nextTask();
    list.push(await createImageBitmap(bitmap, 0, y, width, Math.min(rows, height - y)));
  }
  bitmap.close();
  transfer.push(...list);
  return { width, height, strips: list };
}

/**
 * The file of a large <img>, from the browser's cache, for the worker to
 * decode: pixels of the element itself are decoded in the page's thread.
 * Undefined where the element's own pixels are needed or the file cannot be had.
 */
async function fileOf(image, signal) {
  const { naturalWidth: width, naturalHeight: height, currentSrc, src, crossOrigin } = image;
  if (width * height <= strip || currentSrc !== src) return undefined; // srcset may scale
  try {
    const response = await fetch(src, { signal, cache: 'force-cache', credentials: crossOrigin === 'use-credentials' ? 'include' : 'same-origin' });
    const blob = response.ok ? await response.blob() : undefined;
    return /^image\/(?!svg)/.test(blob?.type) ? blob : undefined;
  } catch {
    return undefined; // another origin, a URL that was revoked, a policy against fetching, or nobody waits any more
  }
}
