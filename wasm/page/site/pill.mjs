// The button in the bar: how far the model is, then what it runs on.
import { deviceName } from './engine.mjs';
import { bytesOf, percent } from './format.mjs';
import { say } from './say.mjs';

/** What loading is at, in words, and as a fraction (null if that is unknown). */
export function loading(progress) {
  if (progress?.stage === 'download') {
    const { loaded, total, cached } = progress;
    return [`${cached ? 'Opening' : 'Fetching'} the model: ${bytesOf(loaded, total)}`, total ? loaded / total : null];
  }
  if (progress?.stage === 'compile') return ['Preparing the model', null];
  return ['Opening the model', null];
}

export function pill(engine) {
  const button = document.getElementById('engine');
  const text = document.getElementById('engine-text');
  let said = '';
  const announce = (what) => { if (what !== said) say(said = what); };
  engine.addEventListener('change', () => {
    button.dataset.state = engine.state;
    if (engine.state === 'loading') {
      const [words, fraction] = loading(engine.progress);
      const { stage, loaded, total } = engine.progress;
      text.textContent = stage === 'download' ? `Model ${bytesOf(loaded, total)}` : words;
      button.title = words;
      button.style.setProperty('--done', fraction ?? (stage === 'compile' ? 1 : 0));
      if (stage === 'download' && total && loaded > total / 2 && loaded < total) announce(`Model: ${percent(0.5)} is here`);
    } else if (engine.state === 'ready') {
      const { device } = engine.model.info;
      text.textContent = deviceName(device);
      button.title = device.detail;
      announce(`The model is ready. ${deviceName(device)}.`);
    } else if (engine.state === 'failed') {
      text.textContent = 'No model';
      button.title = engine.error.message;
    }
  });
}
