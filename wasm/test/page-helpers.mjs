// What the tests' code in the page uses.

/** The code of a promise's error, or "ok". */
export const code = (promise) => promise.then(() => 'ok', (error) => error.code ?? String(error));

/** Waits for a condition, at most some seconds; whoever called looks at what there is. */
export async function until(condition, seconds = 60) {
  for (const end = performance.now() + 1000 * seconds; !await condition() && performance.now() < end;) {
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A picture of one colour with a little structure. */
export function plain(width, height, rgba) {
  const image = new ImageData(width, height);
  for (let i = 0; i < image.data.length; i++) image.data[i] = rgba[i % 4];
  for (let i = 0; i < image.data.length; i += 28) image.data[i] ^= 31;
  return image;
}

export async function canvasOf(blob, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').drawImage(await createImageBitmap(blob), 0, 0);
  return canvas;
}

export async function pixels(picture) {
  const bitmap = picture instanceof Blob ? await createImageBitmap(picture) : picture;
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

export function psnr(a, b) {
  if (a.width !== b.width || a.height !== b.height) return -1;
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2;
  return 10 * Math.log10(255 * 255 * a.data.length / sum);
}
