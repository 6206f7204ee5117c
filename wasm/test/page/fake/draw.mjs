// The fake's worker: decodes, draws something that is plainly another picture
// (and another for each seed), encodes; as in the module, none of it is done by
// the page's own thread.
onmessage = async ({ data: { id, picture, mask, longest = Infinity, scale = 1, done = 1, seed = 0, as } }) => {
  try {
    if (mask) return postMessage({ id, value: coverage(mask) });
    const x1 = await createImageBitmap(picture);
    const s = Math.min(scale, longest / Math.max(x1.width, x1.height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(x1.width * s)), Math.max(1, Math.round(x1.height * s)));
    const c = canvas.getContext('2d');
    c.filter = `saturate(${1 + 0.35 * done}) contrast(${1 + 0.12 * done}) hue-rotate(${Number(seed) % 12 * 30}deg)`;
    c.drawImage(x1, 0, 0, canvas.width, canvas.height);
    x1.close();
    if (as === 'blob') return postMessage({ id, value: await canvas.convertToBlob({ type: 'image/png' }) });
    const bitmap = canvas.transferToImageBitmap();
    postMessage({ id, value: bitmap }, [bitmap]);
  } catch (e) {
    postMessage({ id, error: e.message });
  }
};

function coverage(bitmap) {
  const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  c.drawImage(bitmap, 0, 0);
  const { data } = c.getImageData(0, 0, bitmap.width, bitmap.height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) painted += data[i] > 127;
  return { width: bitmap.width, height: bitmap.height, part: painted / (bitmap.width * bitmap.height) };
}
