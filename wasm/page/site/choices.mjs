// What the visitor wants: the task, and how far to walk. The dial sets the
// number of steps; the fine settings can say more and then lead.
import { el, icon } from './dom.mjs';

const families = {
  jpeg: ['Artefacts', 'Blocks and rings of JPEG'],
  sr4x: ['Enlarge 4×', 'Four times as wide and high'],
  deblur: ['Deblur', 'Soft, out of focus'],
  inpaint: ['Fill in', 'What you paint over'],
  decolor: ['Colour', 'From black and white'],
  denoise: ['Noise', 'Grain of high ISO'],
};

// Samplers that draw nothing at random: every seed gives the same picture.
const certain = new Set(['ode', 'early', 'overshoot', 'ab2', '2m', 'heun']);

/** The dial's places, in steps: from one, through the model's own number, to what is plainly more. */
export function places(own, most) {
  const all = own <= 4 ? [1, 2, 4, 8] : [1, Math.ceil(own / 4), Math.ceil(own / 2), own, 2 * own];
  return [...new Set([...all, own])].filter((n) => n <= most).sort((a, b) => a - b);
}

export class Choices extends EventTarget {
  #form = document.getElementById('choices');
  #tasks = document.getElementById('tasks');
  #dial = document.getElementById('sharpness');
  #text = document.getElementById('sharpness-text');
  #fields = Object.fromEntries(['steps', 'sampler', 'seed', 'tile'].map((id) => [id, document.getElementById(id)]));
  info = null; // of the model that is shown
  #places = [1];

  constructor() {
    super();
    this.#tasks.addEventListener('change', () => { this.#ownSettings(); this.#changed(); });
    this.#dial.addEventListener('input', () => {
      this.#fields.steps.value = this.#places[this.#dial.value];
      this.#changed();
    });
    this.#form.querySelector('.fine').addEventListener('change', () => this.#changed());
  }

  /** Shows a model's tasks; the chosen one stays if the model has it. */
  show(info) {
    const before = this.task?.name;
    this.info = info;
    this.#tasks.replaceChildren(...info.tasks.map((t) => {
      const [name, hint] = families[t.family] ?? [t.name, t.description];
      return el('label', { class: 'task' },
        el('input', { type: 'radio', name: 'task', value: t.name }),
        icon(families[t.family] && document.getElementById(`i-${t.family}`) ? t.family : 'other'), el('b', {}, name), el('small', {}, hint));
    }));
    const chosen = this.#tasks.querySelector(`[value="${CSS.escape(before ?? '')}"]`) ?? this.#tasks.querySelector('input');
    if (chosen) chosen.checked = true;
    this.#fields.sampler.replaceChildren(el('option', { value: '' }, 'the model’s own'), ...info.samplers.map((s) => el('option', { value: s }, s)));
    this.#fields.steps.max = info.maxSteps;
    this.#ownSettings();
    this.#changed();
  }

  get task() {
    const name = this.#tasks.querySelector(':checked')?.value;
    return this.info?.tasks.find((t) => t.name === name);
  }

  /** Options for model.restore. */
  get options() {
    const o = { task: this.task?.name, steps: this.#number('steps', 1), seed: this.#number('seed', 0), tile: Number(this.#fields.tile.value) };
    if (this.#fields.sampler.value) o.sampler = this.#fields.sampler.value;
    return o;
  }

  set seed(n) { this.#fields.seed.value = n; }

  set tile(n) {
    this.#fields.tile.value = n;
    this.#changed();
  }

  /** Back to what the model wants. */
  reset() {
    this.#fields.tile.value = 0;
    this.#ownSettings();
    this.#changed();
  }

  /** Why other seeds would give the same picture; empty if they would not. */
  get certainty() {
    const { steps, sampler = this.task?.sampler } = this.options;
    if (this.task?.mask) return '';
    if (certain.has(sampler)) return `The sampler ${sampler} leaves nothing to chance: every seed gives the same picture.`;
    return steps === 1 ? 'One step leaves nothing to chance: go towards sharp to compare.' : '';
  }

  set disabled(is) { document.getElementById('choice-fields').disabled = is; }

  #number(id, least) {
    const n = Math.floor(this.#fields[id].valueAsNumber);
    return Number.isFinite(n) ? Math.max(least, n) : least;
  }

  #ownSettings() {
    if (!this.task) return;
    this.#places = places(this.task.steps, this.info.maxSteps);
    this.#dial.max = this.#places.length - 1;
    this.#dial.disabled = this.#places.length < 2;
    this.#fields.steps.value = this.task.steps;
    this.#fields.sampler.value = '';
  }

  #changed() {
    if (!this.task) return;
    const steps = this.#number('steps', 1);
    const own = this.task.steps;
    // The dial stands at the nearest place when the number was typed.
    const at = this.#places.reduce((best, n, i) => (Math.abs(n - steps) < Math.abs(this.#places[best] - steps) ? i : best), 0);
    this.#dial.value = at;
    this.#dial.style.setProperty('--part', `${100 * at / Math.max(1, this.#places.length - 1)}%`);
    const count = steps === 1 ? 'One step' : `${steps} steps`;
    const says = steps === 1 ? 'closest to the original, a little soft.'
      : steps > 2 * own ? `crisper, but more is invented; this model is at its best with ${own === 1 ? 'one' : own} and may add grain.`
        : 'crisper, and a little more is invented.';
    this.#text.textContent = `${count}: ${says}`;
    this.#dial.setAttribute('aria-valuetext', count);
    this.dispatchEvent(new Event('change'));
  }
}
