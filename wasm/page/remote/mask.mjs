/** A mask as the server reads it: what is transparent is black, and known. */
export async function whiteOnBlack(mask) {
  const canvas = new OffscreenCanvas(mask.width, mask.height);
  const c = canvas.getContext('2d');
  c.fillRect(0, 0, mask.width, mask.height);
  c.drawImage(mask, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
