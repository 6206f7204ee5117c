// Every error has a code that stays; here is what each means and what to do.
import { el, icon } from './dom.mjs';

/** What went wrong in the page itself, with a code like the module's. */
export class PageError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'PageError';
    this.code = code;
  }
}

// An action is the name of a handler that the page gives to showTrouble.
const retry = ['retry', 'Try again'];
const another = ['another', 'Another picture'];
const settings = ['settings', 'Model and device'];

export const troubles = {
  unsupported: ['This browser cannot do it',
    'Restoring needs WebAssembly with vectors and module workers. Update the browser, or use a current Chrome, Edge, Firefox or Safari.', [settings]],
  'out-of-memory': ['It does not fit into memory',
    'Close other tabs, make the picture smaller first, or try small tiles.', [['tiles', 'Try small tiles'], another]],
  'device-lost': ['The graphics processor went away',
    'Another program or the system has taken it. Try again, or go on with the processor, which is slower.', [retry, ['processor', 'Use the processor']]],
  'bad-pack': ['This model cannot be used',
    'The file is no pack of i2sb, or it was damaged on the way. Fetch it again, or go back to the model that this page brings.', [['builtin', 'Use the built-in model'], settings]],
  'bad-image': ['This picture cannot be opened',
    'The browser does not know its format, or the file is damaged. JPEG, PNG, WebP and AVIF work everywhere; save it as one of them.', [another]],
  'bad-option': ['A setting cannot be used',
    'The model does not take this combination. The model’s own settings always work.', [['defaults', 'Use the model’s settings']]],
  network: ['The model could not be fetched',
    'Look whether you are connected, then go on; what has arrived is kept.', [['reload', 'Go on']]],
  closed: ['The model was closed', 'Try again; it will be opened anew.', [retry]],
  internal: ['Something broke in here',
    'Try again, or load the page anew. If it comes back, report the text below.', [retry]],
  // of the page
  'other-host': ['That pack lies on another host',
    'This page may talk to no host but its own, so that nothing can leave it. Download the pack, then open the file.', [['open-pack', 'Open a file']]],
  'no-picture': ['There was no picture in it',
    'Save the picture as a file first, then drop or choose that file.', [another]],
  'no-clipboard': ['The clipboard could not be read',
    'Allow this page to see it, or press Ctrl+V (⌘V), which needs no permission.', []],
  // of a server that is sent the pictures
  'too-large': ['This picture is too large for the server', 'Make it smaller first, or cut out a part of it.', [another]],
  busy: ['The server has much to do', 'Try again in a moment.', [retry]],
  'too-slow': ['It took longer than the server allows', 'Ask for fewer steps, or make the picture smaller first.', [another]],
  unauthorized: ['This server asks for a token', 'Whoever runs it gives one out.', [retry]],
  'no-mask': ['Nothing is painted yet',
    'Paint over what is to be filled in, then restore.', []],
};

// Here the module's own words name the limit or the setting, and are not hidden among the details.
const spoken = ['out-of-memory', 'bad-option'];

/** Title, text and actions for an error; unknown codes are faults of ours. */
export function explain(error) {
  const code = Object.hasOwn(troubles, error?.code) ? error.code : 'internal';
  const [title, text, actions] = troubles[code];
  const detail = String(error?.message ?? error);
  return spoken.includes(code) ? { code, title, text: `${sentence(detail)} ${text}`, actions } : { code, title, text, actions, detail };
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

export const isAbort = (error) => error?.name === 'AbortError' || error?.code === 'aborted';

/** Shows an error with buttons for the actions that handlers has. */
export function showTrouble(box, error, handlers) {
  const { code, title, text, actions, detail } = explain(error);
  box.dataset.code = code;
  box.replaceChildren(icon('alert'), el('b', {}, title), el('span', {}, text));
  const buttons = actions.filter(([name]) => handlers[name]).map(([name, label]) =>
    el('button', { type: 'button', class: 'button small', 'data-action': name, onclick: () => { hideTrouble(box); handlers[name](); } }, label));
  if (buttons.length) box.append(el('div', { class: 'actions' }, ...buttons));
  if (detail) box.append(el('details', {}, el('summary', {}, 'What was reported'), el('code', {}, `${code}: ${detail}`)));
  box.hidden = false;
}

export function hideTrouble(box) {
  box.hidden = true;
  box.replaceChildren();
  delete box.dataset.code;
}
