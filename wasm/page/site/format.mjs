// Numbers as people read them.

/** 1536 → "1.5 kB", 4194304 → "4.2 MB". */
export function bytes(n) {
  if (n < 1000) return `${n} B`;
  let unit = 'kB';
  for (const next of ['kB', 'MB', 'GB']) {
    n /= 1000;
    unit = next;
    if (n < 999.5) break;
  }
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`;
}

/** Bytes that are here, and of how many if that is known: "2.1 of 4.2 MB". */
export function bytesOf(loaded, total) {
  if (!total) return bytes(loaded);
  const [here, unit] = bytes(loaded).split(' ');
  const all = bytes(total);
  return all.endsWith(' ' + unit) ? `${here} of ${all}` : `${bytes(loaded)} of ${all}`;
}

/** Milliseconds → "0.8 s", "14 s", "2 min 5 s". */
export function duration(ms) {
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  const minutes = Math.floor(Math.round(s) / 60);
  return `${minutes} min ${Math.round(s) % 60} s`;
}

export const size = (w, h) => `${w} × ${h}`;

export const percent = (fraction) => `${Math.round(100 * fraction)} %`;

/** "photo.jpg" → "photo.restored.png", the name that i2sb-run gives. */
export function restoredName(name, seed) {
  const stem = name.replace(/\.[^./\\]{1,5}$/, '') || 'picture';
  return `${stem}.restored${seed === undefined ? '' : `.seed${seed}`}.png`;
}
