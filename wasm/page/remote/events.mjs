/** Reads a stream of events whose data is JSON. */
export async function* events(stream) {
  let rest = '';
  for await (const text of pieces(stream)) {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const [, name] = /^event: (.*)$/m.exec(part) ?? [];
      const [, data] = /^data: (.*)$/m.exec(part) ?? [];
      if (name) yield { name, data: JSON.parse(data) };
    }
  }
}

/** A stream's text; Safari cannot iterate over streams themselves. */
async function* pieces(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
