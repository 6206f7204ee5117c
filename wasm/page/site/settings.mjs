// The dialog: which model, which device and why, and what is kept here.
import { el } from './dom.mjs';
import { builtin, deviceName, sends } from './engine.mjs';
import { showTrouble, hideTrouble, isAbort } from './errors.mjs';
import { bytes, bytesOf } from './format.mjs';
import { offline } from './offline.mjs';

const dialog = document.getElementById('settings');
const body = document.getElementById('settings-body');

export function settings(engine, { openPack }) {
  const trouble = el('div', { class: 'trouble', role: 'alert', hidden: true });
  const render = async () => {
    if (!dialog.open) return;
    const focus = document.activeElement?.dataset?.key;
    body.replaceChildren(trouble, ...model(engine),
      ...sends ? servers(engine, load) : [...devices(engine, load), ...otherPack(load, openPack), ...await kept(engine, render)]);
    body.querySelector(`[data-key="${focus}"]`)?.focus();
  };
  const handlers = {
    'open-pack': openPack,
    retry: () => load({}),
    reload: () => load({}),
    builtin: () => load({ pack: builtin }),
    processor: () => load({ device: 'wasm' }),
  };

  /** Loads and keeps an error in the dialog, where it was caused. */
  async function load(what) {
    hideTrouble(trouble);
    await engine.load(what).catch((e) => { if (!isAbort(e)) showTrouble(trouble, e, handlers); });
    render();
  }

  document.getElementById('settings-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); }); // the backdrop
  let stage;
  engine.addEventListener('change', () => {
    const now = `${engine.state} ${engine.progress?.stage}`;
    if (now !== stage) render(); // not for every byte
    stage = now;
  });
  const open = () => {
    if (!dialog.open) dialog.showModal();
    hideTrouble(trouble);
    return render();
  };
  return { open, load };
}

const fact = (name, value) => (value ? [el('dt', {}, name), el('dd', {}, String(value))] : []);

function model(engine) {
  const info = engine.model?.info;
  const facts = info ? [
    ...fact('Model', info.name),
    ...fact('Size', `${info.bytes ? `${bytes(info.bytes)}, ` : ''}${(info.parameters / 1e6).toFixed(1)} million parameters`),
    ...fact('Licence', info.licence),
    ...fact('SHA-256', info.sha256 && info.sha256.slice(0, 16) + '…'),
    ...fact('Runs on', deviceName(info.device)),
    ...fact('Why', info.device.detail),
  ] : [];
  return facts.length ? [el('section', {}, el('dl', { class: 'facts' }, ...facts))] : [];
}

function devices(engine, load) {
  const s = engine.support;
  const rows = [
    ['auto', 'Choose for me', 'A real graphics processor if there is one, else the processor.', true],
    ['webgpu', 'Graphics (WebGPU)', s ? s.webgpu.ok ? [s.webgpu.adapter, s.webgpu.software && 'emulated on the processor, slow'].filter(Boolean).join(', ') : s.webgpu.reason : '', s?.webgpu.ok ?? true],
    ['wasm', 'Processor (WebAssembly)', s ? s.wasm.ok ? s.threads.ok ? `${s.threads.count} threads` : 'One thread.' + (s.threads.reason ? ` ${s.threads.reason}` : '') : s.wasm.reason : '', s?.wasm.ok ?? true],
  ];
  return [el('section', {}, el('fieldset', {}, el('legend', { class: 'visually-hidden' }, 'Device'), el('h3', {}, 'Device'),
    ...rows.map(([value, name, why, ok]) => el('label', { class: 'option' },
      el('input', { type: 'radio', name: 'device', value, 'data-key': `device-${value}`, checked: engine.device === value, disabled: !ok, onchange: () => load({ device: value }) }),
      el('span', {}, name), why ? el('small', {}, why) : ''))))];
}

/** The models of the server. */
function servers(engine, load) {
  const rows = (engine.support?.models ?? []).map((name) => {
    const pack = `packs/${encodeURIComponent(name)}.i2sb`;
    const chosen = engine.pack === new URL(pack, document.baseURI).href;
    return el('label', { class: 'option' },
      el('input', { type: 'radio', name: 'model', value: name, 'data-key': `model-${name}`, checked: chosen, onchange: () => load({ pack }) }), el('span', {}, name));
  });
  return [el('section', {}, el('fieldset', {}, el('legend', { class: 'visually-hidden' }, 'Model'), el('h3', {}, 'Models of this server'), ...rows))];
}

function otherPack(load, openPack) {
  const url = el('input', { type: 'text', id: 'pack-url', inputmode: 'url', placeholder: 'packs/mine.i2sb', 'data-key': 'url', autocomplete: 'off', spellcheck: 'false' });
  const go = () => { if (url.value.trim()) load({ pack: url.value.trim() }); };
  url.addEventListener('keydown', (e) => { if (e.key === 'Enter') { e.preventDefault(); go(); } });
  return [el('section', {}, el('h3', {}, 'Another model'),
    el('p', { class: 'note' }, 'A pack (.i2sb) from a file, or by its address on this host.'),
    el('div', { class: 'row' }, url, el('button', { type: 'button', class: 'button', 'data-key': 'load-url', onclick: go }, 'Load')),
    el('div', { class: 'row' },
      el('button', { type: 'button', class: 'button', 'data-key': 'open', onclick: openPack }, 'Open a file'),
      el('button', { type: 'button', class: 'button', 'data-key': 'builtin', onclick: () => load({ pack: builtin }) }, 'Built-in model')),
    el('label', { for: 'pack-url', class: 'visually-hidden' }, 'Address of a pack'))];
}

async function kept(engine, render) {
  const packs = await engine.module().then((m) => m.cache.list()).catch(() => []);
  const rows = packs.map((p) => {
    const name = decodeURIComponent(p.url.split('/').pop() || p.url);
    const remove = async () => {
      await (await engine.module()).cache.remove(p.sha256 || p.url);
      render();
    };
    return el('li', {}, el('span', {}, name, el('small', {}, p.complete ? bytes(p.bytes) : `${bytesOf(p.bytes, p.total)}, not complete`)),
      el('button', { type: 'button', class: 'button small', 'aria-label': `Remove ${name}`, 'data-key': `remove-${p.sha256 || p.url}`, onclick: remove }, 'Remove'));
  });
  return [el('section', {}, el('h3', {}, 'Kept on this device'),
    el('p', { class: 'note' }, offline.text),
    rows.length ? el('ul', { class: 'packs' }, ...rows) : el('p', { class: 'note' }, engine.support?.cache.ok === false ? `No model is kept: ${engine.support.cache.reason}` : 'No model is kept.'))];
}
