// What a screen reader is told. Too much is as bad as nothing: a text that
// comes within a second of the last one waits, and only the latest is said.
const region = document.getElementById('live');
let timer = 0;
let last = 0;

export function say(text) {
  clearTimeout(timer);
  const wait = Math.max(0, 1000 - (performance.now() - last));
  timer = setTimeout(() => {
    last = performance.now();
    region.textContent = text;
  }, wait);
}
