// <before-after>: two pictures of one shape (--w and --h, in pixels) and a line
// between them. Before
// there is a result it shows the first alone, during a walk its previews.
import { el } from './dom.mjs';

class BeforeAfter extends HTMLElement {
  #before = el('img', { class: 'layer before', alt: '', draggable: 'false' });
  #walk = el('canvas', { class: 'layer walk', 'aria-hidden': 'true' });
  #after = el('img', { class: 'layer after', alt: '', draggable: 'false' });
  #range = el('input', { type: 'range', min: '0', max: '100', step: '1', value: '50' });
  #drawn = null;

  connectedCallback() {
    if (this.childElementCount) return;
    this.#drawn = this.#walk.getContext('bitmaprenderer');
    this.#range.setAttribute('aria-label', this.getAttribute('label') ?? 'Before and after');
    this.append(this.#before, this.#walk, this.#after,
      el('span', { class: 'tag left', 'aria-hidden': 'true' }, 'Before'), el('span', { class: 'tag right', 'aria-hidden': 'true' }, 'After'),
      el('span', { class: 'line', 'aria-hidden': 'true' }), this.#range);
    this.dataset.shows = 'before';
    this.#range.addEventListener('input', () => this.#moved());
    this.addEventListener('pointerdown', (e) => this.#grab(e));
    this.#moved();
  }

  /** Shows a picture alone. */
  showBefore(url, alt) {
    if (this.#before.getAttribute('src') !== url) this.#before.src = url;
    this.#before.alt = alt;
    this.dataset.shows = 'before';
    this.#after.removeAttribute('src');
    this.#after.alt = '';
  }

  /** Shows an ImageBitmap of the walk, which is taken over. */
  showWalk(bitmap) {
    this.#walk.width = bitmap.width;
    this.#walk.height = bitmap.height;
    this.#drawn.transferFromImageBitmap(bitmap);
    this.dataset.shows = 'walk';
  }

  /** Shows both. The second is decoded before it takes the old one's place, so that nothing flashes. */
  async showBoth(url, alt) {
    if (this.#after.getAttribute('src') !== url) {
      const next = el('img', { class: 'layer after', alt, draggable: 'false', src: url });
      await next.decode().catch(() => {}); // what is too large to decode ahead still shows
      this.#after.replaceWith(next);
      this.#after = next;
      this.at = 50;
    }
    this.dataset.shows = 'both';
  }

  /** Where the line is, in per cent from the left. */
  get at() { return this.#range.valueAsNumber; }
  set at(percent) {
    this.#range.value = percent;
    this.#moved();
  }

  #moved() {
    this.style.setProperty('--at', `${this.at}%`);
    this.dataset.edge = this.at < 16 ? 'left' : this.at > 84 ? 'right' : '';
    this.#range.setAttribute('aria-valuetext', `${100 - this.at} % restored`);
  }

  #grab(e) {
    if (this.dataset.shows !== 'both' || e.button !== 0) return;
    const box = this.getBoundingClientRect();
    const inner = box.width - 2 * this.clientLeft;
    const to = (x) => { this.at = Math.min(100, Math.max(0, 100 * (x - box.left - this.clientLeft) / inner)); };
    const move = (m) => to(m.clientX);
    to(e.clientX);
    this.setPointerCapture(e.pointerId);
    this.#range.focus({ preventScroll: true, focusVisible: false });
    e.preventDefault(); // no dragging of the picture, no lost focus
    this.addEventListener('pointermove', move);
    const end = () => this.removeEventListener('pointermove', move);
    this.addEventListener('pointerup', end, { once: true });
    this.addEventListener('pointercancel', end, { once: true });
  }
}

customElements.define('before-after', BeforeAfter);
