// One restoration: from a picture and choices to a PNG, with progress.

const previewSide = 768;

/**
 * Restores a picture. onProgress gets {fraction, step, steps}, onPreview an
 * ImageBitmap that it has to use up. The PNG is made in the module's worker.
 */
export async function restore(engine, picture, options, { signal, mask, onProgress, onPreview, onStart }) {
  const model = await engine.ready(signal);
  const began = performance.now();
  onStart?.();
  // The widest view of progress is the furthest one: a step may be told before its last work.
  let furthest = 0;
  const tell = (fraction, steps) => {
    furthest = Math.max(furthest, Math.min(1, fraction));
    onProgress?.({ fraction: furthest, step: Math.min(steps, Math.floor(furthest * steps) + 1), steps });
  };
  const blob = await model.restore(picture.file, {
    ...options, mask, signal, output: 'blob', type: 'image/png', preview: onPreview ? previewSide : false,
    onWork: (w) => tell(w.fraction, w.steps),
    onStep: (s) => {
      tell(s.step / s.steps, s.steps);
      if (!s.preview) return;
      // Nobody looks at a hidden tab, and a last preview would flash before the result.
      if (document.hidden || s.step === s.steps || signal?.aborted) s.preview.close();
      else onPreview(s.preview);
    },
  });
  signal?.throwIfAborted();
  const scale = model.info.tasks.find((t) => t.name === options.task)?.scale ?? 1;
  return new Result(blob, { ...options, width: picture.width * scale, height: picture.height * scale, ms: performance.now() - began, device: model.info.device });
}

/** A restored picture: a PNG, its URL and what it was made with. */
export class Result {
  constructor(blob, made) {
    Object.assign(this, made, { blob, url: URL.createObjectURL(blob) });
  }

  close() { URL.revokeObjectURL(this.url); }
}
