/** An error with a stable code; see i2sb.d.ts. */
export class I2SBError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = code === 'aborted' ? 'AbortError' : 'I2SBError';
    this.code = code;
  }
}

export const aborted = (cause) => new I2SBError('aborted', 'the operation was aborted', { cause });

/** An error as it crosses a worker's boundary, and back. */
export function pack(error) {
  if (typeof error?.code === 'string') return { code: error.code, message: error.message };
  if (error?.name === 'AbortError') return { code: 'aborted', message: 'the operation was aborted' };
  if (error instanceof RangeError && /allocation|memory|length/i.test(error.message)) {
    return { code: 'out-of-memory', message: `the browser has no memory left (${error.message})` };
  }
  return { code: 'internal', message: String(error?.message ?? error) };
}

export const unpack = ({ code, message }) => new I2SBError(code, message);
