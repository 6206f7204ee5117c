// The page: one picture, one walk at a time, and what is shown in each state.
// Everything else lies in modules of one idea each.
import './slider.mjs';
import './mask.mjs';
import './seeds.mjs';
import './progress.mjs';
import { Choices } from './choices.mjs';
import { el } from './dom.mjs';
import { ways } from './drop.mjs';
import { Engine, builtin, deviceName } from './engine.mjs';
import { PageError, showTrouble, hideTrouble, isAbort } from './errors.mjs';
import { duration, percent, restoredName, size } from './format.mjs';
import { keepPage } from './offline.mjs';
import { Picture } from './picture.mjs';
import { loading, pill } from './pill.mjs';
import { say } from './say.mjs';
import { settings } from './settings.mjs';
import { restore } from './walk.mjs';

const $ = (id) => document.getElementById(id);
const [slider, mask, seeds, progress, trouble] = ['picture', 'mask', 'seeds', 'progress', 'trouble'].map($);
const manySeeds = 4;

let picture = null; // that was chosen
let result = null; // that is shown
let walking = null; // the AbortController of what runs
let painting = false; // the mask is being edited

const engine = new Engine();
const choices = new Choices();
const dialog = settings(engine, { openPack: () => $('file').click() });

// ---- what is shown

function render() {
  const phase = !picture ? 'empty' : walking ? 'walking' : result ? 'result' : 'ready';
  document.body.dataset.phase = phase;
  const has = phase !== 'empty';
  const show = (id, is) => { $(id).hidden = !is; };
  show('welcome', !has);
  show('stage', has);
  show('panel', has);
  choices.disabled = Boolean(walking);
  const paint = has && painting && !walking;
  show('mask', paint);
  show('tools', paint);
  show('edit-mask', phase === 'result' && choices.task?.mask && !painting);
  show('progress', walking);
  show('cancel', walking);
  show('restore', !walking);
  $('restore').textContent = result ? 'Restore again' : 'Restore';
  $('restore').classList.toggle('primary', !result);
  show('result-line', phase === 'result');
  show('download', phase === 'result');
  show('seeds-ask', !walking);
  const certain = choices.certainty;
  $('compare').disabled = Boolean(certain);
  $('compare').lastChild.textContent = seeds.count > 1 ? 'Four more seeds' : 'Compare seeds';
  $('compare-note').textContent = walking ? '' : certain;
  show('compare-note', !walking && certain);
  $('mat').classList.toggle('busy', Boolean(walking) && slider.dataset.shows === 'before');
  if (!walking) document.title = result ? 'Restored – i2sb' : 'i2sb – restore a photograph';
  if (has) shape();
}

/** The box has the shape and size that the result will have, so that it does not jump. */
function shape() {
  const scale = result && !painting ? result.width / picture.width : choices.task?.scale ?? 1;
  $('stage').style.setProperty('--w', picture.width * scale);
  $('stage').style.setProperty('--h', picture.height * scale);
  $('file-size').textContent = scale > 1 ? `${size(picture.width, picture.height)} → ${size(picture.width * scale, picture.height * scale)}` : size(picture.width, picture.height);
}

function showPicture() {
  if (result && !painting) showResult(result);
  else slider.showBefore(picture.url, picture.name);
}

async function showResult(r) {
  if (result !== r && result && !seeds.has(result)) result.close();
  result = r;
  seeds.choose(r.seed);
  const link = $('download');
  link.href = r.url;
  link.download = restoredName(picture.name, seeds.count > 1 ? r.seed : undefined);
  $('result-line').replaceChildren(el('span', {}, r.steps === 1 ? 'Restored in one step' : `Restored in ${r.steps} steps`),
    el('small', {}, `${duration(r.ms)}, ${deviceName(r.device)}`));
  const at = slider.at;
  const compared = slider.dataset.shows === 'both';
  await slider.showBoth(r.url, `${picture.name}, restored`);
  if (compared) slider.at = at; // the eye compares seeds at one place
  render();
}

/** A result that is no longer wanted. */
function forget() {
  if (result && !seeds.has(result)) result.close();
  seeds.clear();
  result = null;
}

function fail(error) {
  if (isAbort(error)) return;
  // After these the worker is gone or cannot be trusted; the pack is on this device, so opening it anew is quick.
  const anew = ['closed', 'internal', 'device-lost', 'out-of-memory', 'unsupported'].includes(error.code);
  const run = () => {
    if (anew || !picture) engine.load();
    if (picture) restoreIt();
  };
  const handlers = {
    retry: run,
    another: () => $('file').click(),
    settings: dialog.open,
    'open-pack': () => $('file').click(),
    tiles: () => { choices.tile = 256; run(); },
    processor: () => { engine.load({ device: 'wasm' }); if (picture) restoreIt(); },
    builtin: () => engine.load({ pack: builtin }),
    defaults: () => choices.reset(),
    reload: () => { engine.load(); if (picture) restoreIt(); },
  };
  showTrouble(trouble, error, handlers);
  // Before there is a picture the panel is away; the trouble stands in the welcome.
  if (picture) $('act').prepend(trouble);
  else $('ways-hint').before(trouble);
  trouble.parentElement.scrollIntoView({ block: 'nearest' });
}

// ---- what is done

async function take(file) {
  if (file.name?.endsWith('.i2sb')) return takePack(file);
  try {
    const next = await Picture.open(file);
    walking?.abort();
    forget();
    picture?.close();
    picture = next;
    hideTrouble(trouble);
    mask.reset(picture.width, picture.height);
    painting = Boolean(choices.task?.mask);
    $('file-name').textContent = $('file-name').title = picture.name;
    zoom(false);
    showPicture();
    render();
    say(`${picture.name}, ${size(picture.width, picture.height)} pixels`);
    $('restore').focus({ preventScroll: true });
  } catch (e) {
    fail(e);
  }
}

async function takePack(file) {
  hideTrouble(trouble);
  await dialog.open();
  await dialog.load({ pack: file });
}

/** One thing at a time: sets up what can be cancelled, and shows how it ends. */
async function busy(work) {
  walking?.abort();
  hideTrouble(trouble);
  $('notice').textContent = '';
  const mine = walking = new AbortController();
  progress.begin('Opening the model');
  render();
  if ($('stage').getBoundingClientRect().top < 0) $('stage').scrollIntoView(); // what happens, happens there
  try {
    await work(mine.signal);
  } catch (e) {
    if (walking !== mine) return; // something newer runs
    if (isAbort(e)) say('Cancelled');
    fail(e);
  } finally {
    if (walking === mine) {
      walking = null;
      showPicture();
      render();
      (result ? $('download') : $('restore')).focus({ preventScroll: true });
    }
  }
}

const restoreIt = () => busy(async (signal) => {
  const made = await walk(choices.options, signal);
  seeds.clear(); // of other choices
  painting = false;
  await showResult(made);
  say(`Restored in ${duration(made.ms)}. The slider compares before and after.`);
});

/** Four more seeds from the chosen one on, with everything else the same. */
const compare = () => busy(async (signal) => {
  const options = choices.options;
  if (result && sameWalk(result, options)) {
    if (!seeds.has(result)) seeds.add(result);
  } else forget();
  const first = Math.max(options.seed, ...[...seeds.querySelectorAll('input')].map((i) => Number(i.value) + 1));
  const next = Array.from({ length: manySeeds - (seeds.count === 1 ? 1 : 0) }, (_, i) => first + i);
  painting = false;
  await seeds.run(next, async (seed, onFraction) => {
    const made = await walk({ ...options, seed }, signal, onFraction, `Seed ${seed}`);
    await showResult(made);
    return made;
  });
  if (result) seeds.choose(result.seed);
});

const sameWalk = (made, o) => made.task === o.task && made.steps === o.steps && made.sampler === o.sampler && made.tile === o.tile;

async function walk(options, signal, onFraction, name) {
  const needsMask = choices.task?.mask;
  if (needsMask && mask.empty) throw new PageError('no-mask', 'the mask is empty');
  const waiting = () => { if (walking?.signal === signal && engine.state === 'loading') progress.show(...loading(engine.progress)); };
  engine.addEventListener('change', waiting);
  waiting();
  if (slider.dataset.shows === 'both' && !seeds.childElementCount) slider.showBefore(picture.url, picture.name);
  const hole = needsMask ? await mask.bitmap() : undefined;
  let said = 0;
  try {
    return await restore(engine, picture, options, {
      signal,
      mask: hole,
      onStart: () => progress.begin('Beginning'),
      onProgress({ fraction, step, steps }) {
        if (signal.aborted) return;
        const what = `${name ? `${name}: ` : ''}${steps === 1 ? 'One step' : `Step ${step} of ${steps}`}`;
        progress.show(what, fraction > 0 ? fraction : null);
        document.title = `${percent(fraction)} – i2sb`;
        onFraction?.(fraction);
        if (step !== said) say(what);
        said = step;
      },
      onPreview(bitmap) {
        slider.showWalk(bitmap);
        $('mat').classList.remove('busy');
      },
    });
  } finally {
    hole?.close();
    engine.removeEventListener('change', waiting);
  }
}

function zoom(actual) {
  $('zoom').setAttribute('aria-pressed', actual);
  $('mat').classList.toggle('actual', actual);
  $('mat').style.setProperty('--dpr', devicePixelRatio);
  // What scrolls has to be reachable by keys.
  if (actual) $('mat').tabIndex = 0;
  else $('mat').removeAttribute('tabindex');
  if (actual) $('mat').scrollTo(($('mat').scrollWidth - $('mat').clientWidth) / 2, ($('mat').scrollHeight - $('mat').clientHeight) / 2);
}

// ---- wiring

ways({ onFile: take, onError: fail });
pill(engine);
$('demo').showBefore('example.jpg', 'A bird on a rock, with the blocks of a strong JPEG');
$('demo').showBoth('example-restored.webp', 'The same bird, restored');
$('example').addEventListener('click', async () => {
  const blob = await (await fetch('example.jpg')).blob();
  take(new File([blob], 'bird.jpg', { type: 'image/jpeg' }));
});
$('engine').addEventListener('click', () => dialog.open());
$('choices').addEventListener('submit', (e) => {
  e.preventDefault();
  restoreIt();
});
$('compare').addEventListener('click', compare);
$('cancel').addEventListener('click', () => walking?.abort());
$('zoom').addEventListener('click', () => zoom($('zoom').getAttribute('aria-pressed') !== 'true'));
$('edit-mask').addEventListener('click', () => {
  painting = true;
  slider.showBefore(picture.url, picture.name);
  render();
  mask.querySelector('canvas').focus();
});
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && walking && !$('settings').open) walking.abort();
});
mask.bind($('tools'));
choices.addEventListener('change', () => {
  const paint = Boolean(choices.task?.mask);
  if (picture && !walking && paint !== painting && !(paint && result?.task === choices.task.name)) {
    painting = paint;
    showPicture();
  }
  render();
});
seeds.addEventListener('choose', (e) => {
  choices.seed = e.detail.seed;
  showResult(e.detail);
});

engine.addEventListener('change', () => {
  if (engine.state === 'ready' && choices.info !== engine.model.info) choices.show(engine.model.info);
  if (engine.state === 'failed' && !walking && !$('settings').open) fail(engine.error);
});
engine.addEventListener('lost', (e) => {
  choices.show(engine.model.info);
  $('notice').textContent = `The graphics processor went away. ${e.detail.device.detail}`;
  if (walking) progress.begin('Beginning again');
});

const asked = new URLSearchParams(location.search);
engine.load({ pack: asked.get('pack') ?? builtin, device: asked.get('device') ?? 'auto' }).catch(() => {}).finally(keepPage);
render();
