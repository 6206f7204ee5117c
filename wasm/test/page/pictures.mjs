// Pictures for tests, made in the browser.
export async function painted(page, width, height, name, type = 'image/jpeg') {
  const url = await page.evaluate(async ([w, h, type]) => {
    const c = new OffscreenCanvas(w, h).getContext('2d');
    const sky = c.createLinearGradient(0, 0, w, h);
    for (const [at, colour] of [[0, '#22405f'], [.5, '#c98d66'], [1, '#2b3a2c']]) sky.addColorStop(at, colour);
    c.fillStyle = sky;
    c.fillRect(0, 0, w, h);
    c.fillStyle = '#ffffff30';
    for (let i = 0; i < 40; i++) {
      c.beginPath();
      c.arc((i * 7919) % w, (i * 104729) % h, 10 + (i * 31) % 90, 0, 7);
      c.fill();
    }
    const reader = new FileReader();
    reader.readAsDataURL(await c.canvas.convertToBlob({ type }));
    await new Promise((done) => { reader.onload = done; });
    return reader.result;
  }, [width, height, type]);
  return { name, mimeType: type, buffer: Buffer.from(url.split(',')[1], 'base64') };
}
