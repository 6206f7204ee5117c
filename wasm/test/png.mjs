// Pictures that no canvas could make.
import { deflateSync } from 'node:zlib';

function crc(bytes) {
  let c = -1;
  for (const b of bytes) {
    c ^= b;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

const chunk = (type, data) => {
  const b = Buffer.alloc(12 + data.length);
  b.writeUInt32BE(data.length);
  b.write(type, 4);
  data.copy(b, 8);
  b.writeUInt32BE(crc(b.subarray(4, 8 + data.length)), 8 + data.length);
  return b;
};

/** A grey PNG; value(x, y) gives a byte. */
export function png(width, height, value) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  const rows = Buffer.alloc((1 + width) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows[(1 + width) * y + 1 + x] = value(x, y);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}
