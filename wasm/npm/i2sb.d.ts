/**
 * i2sb in the browser: restores photographs with Schrödinger bridges, in a
 * worker of its own, on the visitor's device. Nothing leaves the tab.
 *
 *     import { load } from './i2sb.mjs';
 *     const model = await load('/packs/default.i2sb');
 *     const bitmap = await model.restore(file, { task: 'jpeg' });
 *
 * No headers are needed (neither COOP nor COEP). A Content-Security-Policy has
 * to allow `script-src 'self' 'wasm-unsafe-eval'` and `worker-src 'self'`.
 */

/** What a model computes on. `auto` takes a real GPU, else WebAssembly. */
export type DeviceChoice = 'auto' | 'webgpu' | 'wasm';

/**
 * What `restore` takes. A file's EXIF orientation is applied. Of a large
 * HTMLImageElement the file is read again, from the browser's cache, so that
 * the worker decodes it; where that cannot be, the page's thread does.
 */
export type Picture =
  | Blob
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | VideoFrame;

/**
 * The pixels to restore: white is a hole, black is known and kept exactly,
 * grey blends. It has the picture's size. Transparent pixels count as black, so
 * a transparent canvas with white strokes will do.
 */
export type MaskPicture = Picture | { width: number; height: number; data: Uint8Array };

// ---- support

/** One ability: whether it is there, and the reason in a sentence if not. */
export interface Ability {
  ok: boolean;
  /** For people; empty if there is nothing to say. */
  reason: string;
}

export interface Support {
  /** Whether `load` and `restore` can work at all. */
  supported: boolean;
  /** WebAssembly with 128-bit vectors, and module workers. */
  wasm: Ability & { relaxedSimd: boolean };
  /** A WebGPU adapter. `software` is true if it is emulated on the processor. */
  webgpu: Ability & { adapter: string; software: boolean };
  /** Several threads: the page is cross-origin isolated. Never required. */
  threads: Ability & { count: number };
  /** Storage for packs, so that they work offline. */
  cache: Ability;
}

/** Tells what works here, and the reasons for what does not. It never throws. */
export function isSupported(): Promise<Support>;

// ---- loading

/** How loading goes on. Every load ends with `ready` or an error. */
export type Progress =
  /** Loading begins. `source` is the URL or the file's name. */
  | { stage: 'initiate'; source: string }
  /**
   * Bytes of the pack that are here. `total` is null if the server does not
   * tell. `cached` is true if they come from this device; `resumed` is how many
   * bytes an earlier, cut download had left.
   */
  | { stage: 'download'; loaded: number; total: number | null; cached: boolean; resumed: number }
  /** All bytes are here; the network is being made ready on the device. */
  | { stage: 'compile' }
  | { stage: 'ready'; device: DeviceInfo };

export interface LoadOptions {
  /** Default: `auto`. */
  device?: DeviceChoice;
  /** Ends loading; what has been downloaded is kept and gone on with later. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /**
   * `use` (the default) takes a pack that was fetched before without asking the
   * server; `reload` fetches it anew; `none` neither reads nor keeps anything.
   */
  cache?: 'use' | 'reload' | 'none';
  /** The pack's SHA-256 in hex. Another pack is an error (`bad-pack`). */
  sha256?: string;
  /**
   * Threads of the WASM device; 0, the default, takes as many as the machine
   * has, at most 16. More than 1 needs a cross-origin isolated page; where there
   * is one only, `info.device.detail` says why. The result is the same.
   */
  threads?: number;
  /** Where `worker.mjs` and the WASM files lie, if not beside this module. */
  base?: string | URL;
}

/** Opens a pack by URL, from a file or from memory (which is not changed). */
export function load(pack: string | URL | Blob | ArrayBuffer | Uint8Array, options?: LoadOptions): Promise<Model>;

// ---- a model

export interface DeviceInfo {
  kind: 'webgpu' | 'wasm';
  /** The adapter's name, or the kernels': "wasm-relaxed", "wasm". */
  name: string;
  /** What was chosen and why, for people. */
  detail: string;
  /** WebGPU that is emulated on the processor. */
  software: boolean;
  threads: number;
}

export interface TaskInfo {
  /** A family (`jpeg`, `sr4x`, `deblur`, `inpaint`) or a full name (`jpeg-10`). */
  name: string;
  family: string;
  /** For people; may be empty. */
  description: string;
  /** The degradations seen in training. */
  trained: string[];
  /** The defaults. */
  sampler: string;
  steps: number;
  /** How much larger the result is a side: 4 for `sr4x`, else 1. */
  scale: 1 | 4;
  /** Whether `restore` needs a mask. */
  mask: boolean;
}

export interface ModelInfo {
  name: string;
  /** SHA-256 of the pack in hex. */
  sha256: string;
  /** Bytes of the pack. */
  bytes: number;
  parameters: number;
  encoding: string;
  /** SPDX, of the weights. */
  licence: string;
  credits: string;
  provenance: string;
  metrics: Record<string, number>;
  /** The first one is the default. */
  tasks: TaskInfo[];
  /** Names that `sampler` takes with this pack. */
  samplers: string[];
  /** The most `steps`. */
  maxSteps: number;
  device: DeviceInfo;
}

/** Where a walk has come to. */
export interface Step {
  /** Evaluations of the network done, and of how many. */
  step: number;
  steps: number;
  /** The present estimate of the clean picture, if `preview` was asked for; yours to close. */
  preview?: ImageBitmap;
}

/** Work done of a restoration, which is finer than steps for large pictures. */
export interface Work {
  /** From 0 to 1. */
  fraction: number;
  step: number;
  steps: number;
  tile: number;
  tiles: number;
}

export interface RestoreOptions {
  /** One of `info.tasks`, or a full name of its family. Default: the pack's first that keeps the size. */
  task?: string;
  /** Evaluations of the network, 1 to `info.maxSteps`. More are sharper, fewer are more faithful. */
  steps?: number;
  sampler?: string;
  /** Stochasticity of the samplers i3sb and dbim1, and how much too far the first stride of overshoot goes, 0 to 1. */
  eta?: number;
  /** The same seed gives the same picture. A number is a whole one up to 2^53; default 0. */
  seed?: number | bigint;
  /** For inpainting. */
  mask?: MaskPicture;
  /** Side of the tiles in pixels; 0 (the default) cuts only large pictures, -1 never does. */
  tile?: number;
  /** Least overlap of tiles in pixels; default: a quarter of the tile. */
  overlap?: number;
  /** Rejects with an AbortError at once; the worker stops within a fraction of a step. */
  signal?: AbortSignal;
  /** Called after every step. */
  onStep?: (step: Step) => void;
  /** Called some times a second. */
  onWork?: (work: Work) => void;
  /** Give `onStep` a preview, with at most this many pixels on its longer side; `true` means 512. */
  preview?: boolean | number;
  /** What to return. Default: `bitmap`. A `blob` is made by a canvas, whose sides have limits (Chromium: 65535 pixels). */
  output?: 'bitmap' | 'image-data' | 'blob';
  /** Of the blob: `image/png` (the default), `image/jpeg`, `image/webp`. */
  type?: string;
  /** Of a JPEG or WebP blob, 0 to 1. */
  quality?: number;
}

export interface ModelEvents {
  /** The GPU was lost; the model goes on with `detail.device`, and running restorations begin again. */
  'device-lost': CustomEvent<{ reason: string; device: DeviceInfo }>;
}

/** An opened pack on a device. */
export interface Model extends EventTarget {
  readonly info: ModelInfo;
  /**
   * Restores a picture. Concurrent calls queue. Bitmaps and frames that are given stay the caller's. Large pictures go by tiles;
   * 8000×6000 pixels take 2.5 of the 4 GiB that WebAssembly has. What does not fit is refused before the walk (`out-of-memory`).
   */
  restore(picture: Picture, options: RestoreOptions & { output: 'blob' }): Promise<Blob>;
  restore(picture: Picture, options: RestoreOptions & { output: 'image-data' }): Promise<ImageData>;
  restore(picture: Picture, options?: RestoreOptions & { output?: 'bitmap' }): Promise<ImageBitmap>;
  restore(picture: Picture, options?: RestoreOptions): Promise<ImageBitmap | ImageData | Blob>;
  /** Bytes of the worker's WebAssembly memory, and how many JavaScript objects Go holds. */
  usage(): Promise<{ wasm: number; handles: number }>;
  /** Ends the worker and frees its memory and GPU objects. Calls that run reject with `closed`. */
  dispose(): void;
  addEventListener<K extends keyof ModelEvents>(type: K, listener: (event: ModelEvents[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

// ---- packs that are kept on the device

export interface CachedPack {
  /** Of the whole pack; empty while it is not complete. */
  sha256: string;
  /** Where it was fetched from. */
  url: string;
  /** Bytes that are here, and of how many (null: the server did not tell). */
  bytes: number;
  total: number | null;
  complete: boolean;
  /** When it was last used, in milliseconds since 1970. */
  used: number;
}

export const cache: {
  list(): Promise<CachedPack[]>;
  /** Removes the pack with this SHA-256 or URL; without an argument all of them. Returns how many went. */
  remove(which?: string): Promise<number>;
};

// ---- errors

/**
 * - `unsupported`: the browser cannot do it; the message says what is missing
 * - `out-of-memory`: the picture or the network does not fit; the message names the limit
 * - `device-lost`: the GPU went away and nothing could take over
 * - `bad-pack`: not a pack, damaged, or not the expected one
 * - `bad-image`: the picture or mask cannot be decoded or has an impossible size
 * - `bad-option`: an option's value cannot be used
 * - `network`: the download failed; run it again to go on where it ended
 * - `aborted`: the signal said so; `name` is then "AbortError"
 * - `closed`: the model was disposed of
 * - `internal`: a fault of this library
 */
export type ErrorCode =
  | 'unsupported'
  | 'out-of-memory'
  | 'device-lost'
  | 'bad-pack'
  | 'bad-image'
  | 'bad-option'
  | 'network'
  | 'aborted'
  | 'closed'
  | 'internal';

export class I2SBError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
}

/** The version of this package. */
export const version: string;
