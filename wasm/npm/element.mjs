// <i2sb-restore>: see element.d.ts.
import { load } from './i2sb.mjs';

const style = `
:host { display: block; max-width: 100%; font: inherit }
:host([hidden]) { display: none }
[part=view] { position: relative; overflow: hidden; line-height: 0 }
[part=view] ::slotted(img), [part=after] { width: 100%; height: auto; display: block }
[part=after] { position: absolute; inset: 0; height: 100%; clip-path: inset(0 0 0 var(--cut, 50%)) }
[part=slider] { width: 100%; margin: .5em 0 0 }
[part=bar] { width: 100% }
[hidden] { display: none }
`;

const models = new Map(); // pack and device → promise of a model

function shared(pack, device, options) {
  const key = `${device} ${pack}`;
  if (!models.has(key)) {
    const model = load(pack, { device, ...options });
    models.set(key, model);
    model.catch(() => models.delete(key)); // the next one tries again
  }
  return models.get(key);
}

export class RestoreElement extends HTMLElement {
  #model = null;
  #cancel = null;
  #url = '';
  #parts = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet(); // which a strict Content-Security-Policy allows
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    const make = (tag, part, more = {}) => {
      const e = Object.assign(document.createElement(tag), more);
      e.setAttribute('part', part);
      this.#parts[part] = e;
      return e;
    };
    const view = make('div', 'view');
    view.append(document.createElement('slot'), make('img', 'after', { alt: 'restored', hidden: true }));
    const slider = make('input', 'slider', { type: 'range', min: 0, max: 100, value: 50, hidden: true, ariaLabel: 'boundary between before and after' });
    slider.addEventListener('input', () => view.style.setProperty('--cut', `${slider.value}%`));
    const file = make('input', 'file', { type: 'file', accept: 'image/*', hidden: true, ariaLabel: 'picture to restore' });
    file.addEventListener('change', () => this.#choose(file.files[0]));
    const button = make('button', 'button', { type: 'button', textContent: 'Restore' });
    button.addEventListener('click', () => (this.#cancel ? this.cancel() : this.restore().catch(() => {})));
    root.append(view, slider, file, make('progress', 'bar', { max: 1, hidden: true, ariaLabel: 'progress' }), button, make('p', 'message', { role: 'status' }));
  }

  get model() {
    return this.#model;
  }

  connectedCallback() {
    const image = this.querySelector('img');
    this.#parts.file.hidden = Boolean(image);
    if (image && this.hasAttribute('auto')) this.restore().catch(() => {});
  }

  disconnectedCallback() {
    this.cancel();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
  }

  cancel() {
    this.#cancel?.abort();
  }

  #choose(file) {
    if (!file) return;
    const image = this.querySelector('img') ?? this.appendChild(new Image());
    image.alt = file.name;
    image.src = URL.createObjectURL(file);
    image.decode().catch(() => {}).finally(() => URL.revokeObjectURL(image.src));
    this.restore(file).catch(() => {});
  }

  async restore(picture = this.querySelector('img')) {
    this.cancel();
    const mine = new AbortController();
    this.#cancel = mine;
    const { bar, button, message, after, slider } = this.#parts;
    const say = (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail }));
    bar.hidden = false;
    bar.removeAttribute('value');
    button.textContent = 'Cancel';
    message.textContent = '';
    try {
      const pack = this.getAttribute('pack');
      if (!pack) throw new TypeError('<i2sb-restore> needs the attribute pack');
      this.#model = shared(new URL(pack, document.baseURI).href, this.getAttribute('device') ?? 'auto', {
        onProgress: (p) => {
          if (p.stage === 'download' && p.total) bar.value = p.loaded / p.total;
          say('progress', p);
        },
      });
      const model = await this.#model;
      mine.signal.throwIfAborted();
      const number = (name) => (this.hasAttribute(name) ? Number(this.getAttribute(name)) : undefined);
      const text = (name) => this.getAttribute(name) ?? undefined;
      const blob = await model.restore(picture, {
        task: text('task'), sampler: text('sampler'), steps: number('steps'), seed: number('seed'), tile: number('tile'),
        signal: mine.signal, output: 'blob', onStep: (step) => say('step', step), onWork: ({ fraction }) => { bar.value = fraction; },
      });
      if (this.#url) URL.revokeObjectURL(this.#url);
      this.#url = URL.createObjectURL(blob);
      after.src = this.#url;
      await after.decode();
      after.hidden = slider.hidden = false;
      say('restored', { blob });
      return blob;
    } catch (error) {
      if (error.name !== 'AbortError') message.textContent = error.message;
      say('failed', error);
      throw error;
    } finally {
      if (this.#cancel === mine) {
        this.#cancel = null;
        bar.hidden = true;
        button.textContent = 'Restore';
      }
    }
  }
}

if (!customElements.get('i2sb-restore')) customElements.define('i2sb-restore', RestoreElement);
