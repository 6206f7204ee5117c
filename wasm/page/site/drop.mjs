// Every way in: the picker, the camera, the clipboard, a file dropped anywhere.
import { PageError } from './errors.mjs';

/** Calls onFile(File) for whatever comes, onError(PageError) if nothing usable did. */
export function ways({ onFile, onError }) {
  const by = (id) => document.getElementById(id);
  const take = (files, from) => {
    const list = [...(files ?? [])];
    const file = list.find((f) => f.type.startsWith('image/') || f.name.endsWith('.i2sb')) ?? list[0];
    if (file) onFile(file);
    else if (from) onError(new PageError('no-picture', `${from} held no file`));
  };

  for (const id of ['file', 'camera']) {
    by(id).addEventListener('change', (e) => {
      take(e.target.files);
      e.target.value = ''; // the same file can be chosen again
    });
  }
  by('pick').addEventListener('click', () => by('file').click());
  by('other').addEventListener('click', () => by('file').click());

  // `capture` opens the camera on phones only; elsewhere it would be a second picker.
  const camera = by('take');
  camera.hidden = !matchMedia('(pointer: coarse)').matches;
  camera.addEventListener('click', () => by('camera').click());

  const paste = by('paste');
  paste.hidden = !navigator.clipboard?.read;
  paste.addEventListener('click', async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((t) => t.startsWith('image/'));
        if (type) return onFile(named(await item.getType(type)));
      }
      onError(new PageError('no-picture', 'the clipboard held no picture'));
    } catch (e) {
      onError(new PageError('no-clipboard', e.message));
    }
  });
  document.addEventListener('paste', (e) => {
    if (e.target.closest?.('input:not([type="range"], [type="radio"]), dialog')) return; // text for a field
    e.preventDefault();
    take(e.clipboardData?.files, 'what was pasted');
  });

  drops((data) => take(data.files, 'what was dropped'));
}

/** The clipboard's pictures have no name. */
function named(blob) {
  return new File([blob], `pasted.${blob.type.split('/')[1]}`, { type: blob.type });
}

/** The whole window takes files; a veil says so while one is above it. */
function drops(onDrop) {
  const veil = document.getElementById('veil');
  const wanted = (e) => [...(e.dataTransfer?.types ?? [])].some((t) => t === 'Files' || t === 'text/uri-list');
  let depth = 0; // enter and leave come for every element on the way
  addEventListener('dragenter', (e) => {
    if (!wanted(e)) return;
    depth++;
    veil.hidden = false;
  });
  addEventListener('dragleave', (e) => {
    if (!wanted(e)) return;
    depth = Math.max(0, depth - 1);
    veil.hidden = depth === 0;
  });
  addEventListener('dragover', (e) => {
    if (!wanted(e)) return;
    e.preventDefault();
    e.dataTransfer.dropEffect = 'copy';
  });
  addEventListener('drop', (e) => {
    depth = 0;
    veil.hidden = true;
    if (!wanted(e)) return;
    e.preventDefault();
    onDrop(e.dataTransfer);
  });
}
