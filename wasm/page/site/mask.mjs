// <mask-painter>: paints what is to be filled in, by pointer or by keys. It
// lies over the picture; its canvas is at most 2048 pixels a side, however
// large the picture is, so that a stroke costs little.
import { el } from './dom.mjs';
import { Strokes, drawStroke } from './strokes.mjs';
import { say } from './say.mjs';

const mostSide = 2048;

class MaskPainter extends HTMLElement {
  #canvas = el('canvas', { tabindex: '0', role: 'application', 'aria-label': 'Mask: paint what is to be filled in', 'aria-description': 'Arrow keys move the brush, with Shift in small steps. Space puts it down and lifts it. Brackets change its size, E erases, Control Z undoes, Delete clears.' });
  #ring = el('div', { class: 'brush', hidden: true });
  #hint = el('p', { class: 'hint' }, 'Paint over what is to be filled in');
  #context;
  #strokes = new Strokes();
  #tools;
  #size = [1, 1]; // of the picture
  #scale = 1; // canvas pixels a picture pixel
  #erase = false;
  #at = null; // the brush, in picture pixels
  #down = null; // the stroke that is being painted

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(this.#canvas, this.#hint, this.#ring);
    this.#context = this.#canvas.getContext('2d');
    const on = (type, f) => this.#canvas.addEventListener(type, f);
    on('pointerdown', (e) => this.#press(e));
    on('pointermove', (e) => this.#drag(e));
    on('pointerup', () => this.#lift());
    on('pointercancel', () => this.#lift());
    on('pointerleave', () => { if (!this.#down) this.#ring.hidden = true; });
    on('keydown', (e) => this.#key(e));
    on('focus', () => { if (this.#canvas.matches(':focus-visible')) this.#place(this.#at ?? this.#size.map((n) => n / 2)); });
    on('blur', () => { this.#lift(); this.#ring.hidden = true; });
  }

  /** Takes the toolbar whose controls carry data-do. */
  bind(tools) {
    this.#tools = tools;
    tools.addEventListener('click', (e) => {
      const what = e.target.closest('button')?.dataset.do;
      if (what) this.#do(what);
    });
    this.#tool('size').addEventListener('input', () => this.#resized());
    this.#resized();
  }

  /** Begins anew for a picture. */
  reset(width, height) {
    this.#size = [width, height];
    this.#scale = Math.min(1, mostSide / Math.max(width, height));
    this.#canvas.width = Math.max(1, Math.round(width * this.#scale));
    this.#canvas.height = Math.max(1, Math.round(height * this.#scale));
    this.#strokes = new Strokes();
    this.#at = this.#down = null;
    this.#changed();
  }

  get empty() { return this.#strokes.empty; }

  /** The mask as an ImageBitmap of the picture's size: white where painted, else transparent. */
  async bitmap() {
    const { width, height } = this.#canvas;
    const canvas = new OffscreenCanvas(width, height);
    this.#strokes.draw(canvas.getContext('2d'), this.#scale, '#fff');
    const [w, h] = this.#size;
    const whole = canvas.transferToImageBitmap();
    if (w === width && h === height) return whole;
    try {
      return await createImageBitmap(whole, { resizeWidth: w, resizeHeight: h, resizeQuality: 'medium' });
    } finally {
      whole.close();
    }
  }

  // ---- the brush

  /** Its diameter in picture pixels: a share of the shorter side. */
  get #brush() { return Math.max(1, this.#tool('size').valueAsNumber / 100 * Math.min(...this.#size)); }

  #place(at) {
    this.#at = at.map((v, i) => Math.min(this.#size[i], Math.max(0, v)));
    const box = this.getBoundingClientRect();
    const shown = box.width / this.#size[0];
    this.#ring.style.cssText = `left: ${100 * this.#at[0] / this.#size[0]}%; top: ${100 * this.#at[1] / this.#size[1]}%; width: ${this.#brush * shown}px; height: ${this.#brush * shown}px`;
    this.#ring.hidden = false;
  }

  #point(e) {
    const box = this.#canvas.getBoundingClientRect();
    return [(e.clientX - box.left) / box.width * this.#size[0], (e.clientY - box.top) / box.height * this.#size[1]];
  }

  #put() {
    this.#hint.hidden = true;
    this.#down = this.#strokes.add({ erase: this.#erase, size: this.#brush, points: [...this.#at] });
    drawStroke(this.#context, this.#down, this.#scale, this.#colour);
  }

  #line(at) {
    this.#place(at);
    if (!this.#down) return;
    const from = this.#down.points.length / 2;
    this.#down.points.push(...this.#at);
    drawStroke(this.#context, this.#down, this.#scale, this.#colour, from);
  }

  #lift() {
    if (!this.#down) return;
    this.#down = null;
    this.#changed();
  }

  #press(e) {
    if (e.button !== 0 || !e.isPrimary) return;
    this.#canvas.setPointerCapture(e.pointerId);
    this.#place(this.#point(e));
    this.#put();
  }

  #drag(e) {
    if (!e.isPrimary) return;
    const all = this.#down ? e.getCoalescedEvents?.() ?? [] : [];
    for (const p of all.length ? all : [e]) this.#line(this.#point(p));
  }

  // ---- the keyboard

  #key(e) {
    const step = e.shiftKey ? Math.max(1, this.#brush / 10) : Math.max(1, this.#brush / 2);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const command = e.ctrlKey || e.metaKey;
    if (moves[e.key] && !command) {
      const [x, y] = this.#at ?? this.#size.map((n) => n / 2);
      this.#line([x + moves[e.key][0], y + moves[e.key][1]]);
    } else if (e.key === ' ' || e.key === 'Enter') {
      if (e.repeat) return e.preventDefault();
      if (this.#down) this.#lift();
      else {
        if (!this.#at) this.#place(this.#size.map((n) => n / 2));
        this.#put();
      }
      say(this.#down ? 'Brush down' : 'Brush lifted');
    } else if (e.key === '[' || e.key === ']') {
      const size = this.#tool('size');
      if (e.key === ']') size.stepUp(2); else size.stepDown(2);
      this.#resized();
      say(`Brush size ${size.value}`);
    } else if (command && e.key.toLowerCase() === 'z') {
      this.#do(e.shiftKey ? 'redo' : 'undo');
    } else if (command && e.key.toLowerCase() === 'y') {
      this.#do('redo');
    } else if (e.key === 'Delete' || e.key === 'Backspace') {
      this.#do('clear');
    } else if (e.key.toLowerCase() === 'e' && !command) {
      this.#do(this.#erase ? 'paint' : 'erase');
      say(this.#erase ? 'Eraser' : 'Brush');
    } else if (e.key === 'Escape' && this.#down) {
      this.#lift();
    } else return;
    e.preventDefault();
  }

  // ---- the tools

  #tool(name) { return this.#tools.querySelector(`[data-do="${name}"]`); }

  #do(what) {
    this.#lift();
    if (what === 'paint' || what === 'erase') {
      this.#erase = what === 'erase';
      this.#tool('paint').setAttribute('aria-pressed', !this.#erase);
      this.#tool('erase').setAttribute('aria-pressed', this.#erase);
      return;
    }
    this.#strokes[what]();
    this.#strokes.draw(this.#context, this.#scale, this.#colour);
    say({ undo: 'Undone', redo: 'Done again', clear: 'Mask cleared' }[what]);
    this.#changed();
  }

  #resized() {
    const size = this.#tool('size');
    size.style.setProperty('--part', `${100 * (size.value - size.min) / (size.max - size.min)}%`);
    if (this.#at) this.#place(this.#at);
  }

  #changed() {
    const focused = document.activeElement;
    this.#tool('undo').disabled = !this.#strokes.canUndo;
    this.#tool('redo').disabled = !this.#strokes.canRedo;
    this.#tool('clear').disabled = this.#strokes.empty;
    this.#hint.hidden = !this.#strokes.empty;
    // A button that has just become useless must not take the focus away with it.
    if (focused?.disabled && this.#tools.contains(focused)) this.#canvas.focus();
    this.dispatchEvent(new Event('change'));
  }

  get #colour() { return getComputedStyle(this).getPropertyValue('--mask'); }
}

customElements.define('mask-painter', MaskPainter);
