// What was painted, as strokes in the picture's own coordinates: undo is
// dropping the last, and the mask can be drawn at any size.

export class Strokes {
  #done = [];
  #undone = [];

  /** stroke: {erase, size (diameter), points: [x, y, x, y, …]} or {clear: true}. */
  add(stroke) {
    this.#done.push(stroke);
    this.#undone = [];
    return stroke;
  }

  undo() { return this.#move(this.#done, this.#undone); }
  redo() { return this.#move(this.#undone, this.#done); }
  clear() { if (!this.empty) this.add({ clear: true }); }
  get canUndo() { return this.#done.length > 0; }
  get canRedo() { return this.#undone.length > 0; }

  /** Whether nothing is painted (erasers may have left nothing too; the pixels tell). */
  get empty() { return !this.#visible().some((s) => !s.erase); }

  /** Draws all of it on a cleared 2D context, scaled. */
  draw(context, scale, colour) {
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    for (const s of this.#visible()) drawStroke(context, s, scale, colour);
  }

  #visible() { return this.#done.slice(this.#done.findLastIndex((s) => s.clear) + 1); }

  #move(from, to) {
    const s = from.pop();
    if (s) to.push(s);
    return Boolean(s);
  }
}

/** Draws a stroke from its point number `from` on. */
export function drawStroke(context, { erase, size, points }, scale, colour, from = 0) {
  context.globalCompositeOperation = erase ? 'destination-out' : 'source-over';
  context.strokeStyle = colour;
  context.lineWidth = size * scale;
  context.lineCap = context.lineJoin = 'round';
  context.beginPath();
  const first = Math.max(0, from - 1) * 2;
  context.moveTo(points[first] * scale, points[first + 1] * scale);
  // A single point is a dab; a line of no length would be left out.
  if (points.length === 2) context.lineTo(points[0] * scale + 0.01, points[1] * scale);
  for (let i = first; i < points.length; i += 2) context.lineTo(points[i] * scale, points[i + 1] * scale);
  context.stroke();
}
