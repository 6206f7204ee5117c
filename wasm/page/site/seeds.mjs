// <seed-strip>: the same walk with several seeds, side by side, to choose from.
import { el } from './dom.mjs';
import { say } from './say.mjs';

class SeedStrip extends HTMLElement {
  #results = new Map(); // seed → Result

  connectedCallback() {
    this.addEventListener('change', (e) => {
      const result = this.#results.get(Number(e.target.value));
      if (result) this.dispatchEvent(new CustomEvent('choose', { detail: result }));
    });
  }

  /** How many are here. */
  get count() { return this.#results.size; }

  /**
   * Walks with each seed in turn: run(seed, onProgress) → Result. Those that are
   * there are kept; an error or an abort leaves what was made.
   */
  async run(seeds, run) {
    const slots = seeds.filter((s) => !this.#results.has(s)).map((seed) => [seed, this.#slot(seed)]);
    this.hidden = false;
    try {
      for (const [seed, slot] of slots) {
        slot.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        this.add(await run(seed, (fraction) => { slot.querySelector('progress').value = fraction; }));
        say(`Seed ${seed} is done`);
      }
    } finally {
      for (const [seed, slot] of slots) if (!this.#results.has(seed)) slot.remove();
      this.hidden = !this.childElementCount;
    }
  }

  /** Puts a result into its place, which is made if there is none. */
  add(result) {
    this.#results.set(result.seed, result);
    const slot = this.querySelector(`[data-seed="${result.seed}"]`) ?? this.#slot(result.seed);
    const img = el('img', { alt: '', decoding: 'async' });
    img.src = result.url;
    slot.querySelector('.thumb').replaceChildren(img);
    slot.querySelector('input').disabled = false;
  }

  /** Marks a seed as the shown one. */
  choose(seed) {
    const input = this.querySelector(`[data-seed="${seed}"] input`);
    if (input) input.checked = true;
  }

  /** Whether a result is kept here (and must not be closed elsewhere). */
  has(result) { return this.#results.get(result?.seed) === result; }

  clear(keep) {
    for (const r of this.#results.values()) if (r !== keep) r.close();
    this.#results.clear();
    this.replaceChildren();
    this.hidden = true;
  }

  #slot(seed) {
    const slot = el('label', { class: 'seed', 'data-seed': seed },
      el('input', { type: 'radio', name: 'shown-seed', value: seed, disabled: true }),
      el('span', { class: 'thumb' }, el('progress', { max: '1', 'aria-label': `Seed ${seed}` })), el('span', {}, `Seed ${seed}`));
    this.append(slot);
    return slot;
  }
}

customElements.define('seed-strip', SeedStrip);
