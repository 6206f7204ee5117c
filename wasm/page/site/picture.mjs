// A picture as the page needs it: a URL to show and its size. The file itself
// goes to the module, which decodes it in its worker; nothing is copied here.
import { PageError } from './errors.mjs';

export class Picture {
  constructor(file, url, width, height) {
    Object.assign(this, { file, url, width, height, name: file.name || 'picture.png' });
  }

  /** Throws a PageError bad-image if the browser cannot decode it. */
  static async open(file) {
    const url = URL.createObjectURL(file);
    const img = new Image();
    img.src = url;
    try {
      await img.decode(); // in a thread of the browser's
      if (!img.naturalWidth) throw new Error('it has no size');
    } catch (e) {
      URL.revokeObjectURL(url);
      throw new PageError('bad-image', `${file.name || 'the picture'} (${file.type || 'unknown type'}, ${file.size} bytes): ${e.message}`);
    }
    return new Picture(file, url, img.naturalWidth, img.naturalHeight);
  }

  close() { URL.revokeObjectURL(this.url); }
}
