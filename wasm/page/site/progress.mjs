// <walk-progress>: a line, what is done, and how long it may take.
import { el } from './dom.mjs';
import { duration } from './format.mjs';

class WalkProgress extends HTMLElement {
  #bar = el('progress', { max: '1', 'aria-label': 'Progress' });
  #what = el('span');
  #left = el('span');
  #began = 0;

  connectedCallback() {
    if (!this.childElementCount) this.append(el('p', {}, this.#what, this.#left), this.#bar);
  }

  /** Begins anew; the time counts from here. */
  begin(what) {
    this.#began = performance.now();
    this.show(what, null);
  }

  /** fraction from 0 to 1, null if unknown. note replaces the time left. */
  show(what, fraction, note) {
    this.#what.textContent = what;
    if (fraction === null) this.#bar.removeAttribute('value');
    else this.#bar.value = fraction;
    this.#left.textContent = note ?? this.#time(fraction);
  }

  #time(fraction) {
    const spent = performance.now() - this.#began;
    // An estimate from a first tenth would jump about.
    if (fraction > 0.1 && fraction < 1 && spent > 800) return `about ${duration(spent * (1 - fraction) / fraction)} left`;
    return spent > 800 ? duration(spent) : '';
  }
}

customElements.define('walk-progress', WalkProgress);
