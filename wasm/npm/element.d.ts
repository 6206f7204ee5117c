import type { Model, Progress, Step, I2SBError } from './i2sb.mjs';

/**
 * `<i2sb-restore>`, for pages without a script of their own. Importing this
 * module defines it:
 *
 *     <script type="module" src="/i2sb/element.mjs"></script>
 *     <i2sb-restore pack="/packs/default.i2sb" task="jpeg"><img src="bad.jpg" alt="…"></i2sb-restore>
 *
 * Without an `<img>` inside it asks the visitor for a picture. Attributes: `pack`
 * (required), `task`, `steps`, `sampler`, `seed`, `device`, `tile`, and `auto`, which
 * starts without a click. Parts to style: `view`, `before`, `after`, `slider`, `bar`,
 * `button`, `message`.
 */
export class RestoreElement extends HTMLElement {
  /** The model, once loaded; shared by all elements with the same pack and device. */
  readonly model: Promise<Model> | null;
  /** Restores the `<img>` inside, or the picture given. */
  restore(picture?: Blob | HTMLImageElement): Promise<Blob>;
  cancel(): void;
  addEventListener<K extends keyof RestoreElementEvents>(type: K, listener: (event: RestoreElementEvents[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

export interface RestoreElementEvents {
  progress: CustomEvent<Progress>;
  step: CustomEvent<Step>;
  restored: CustomEvent<{ blob: Blob }>;
  failed: CustomEvent<I2SBError>;
}

declare global {
  interface HTMLElementTagNameMap {
    'i2sb-restore': RestoreElement;
  }
}
