// How long a page's main thread is busy at a time, from the browser's trace:
// the processor's time of each task, which other programs do not lengthen.

/** What no task may take, in ms of the processor: twice the promise of 50, since machines differ. The tests print what it was. */
export const frozen = 100;

/** Begins to watch; the result ends it and gives the longest task's {busy, wall} in ms, of the processor and by the clock. */
export async function mainThread(browser) {
  const session = await browser.newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline'] } });
  return async () => {
    const ended = new Promise((done) => session.once('Tracing.tracingComplete', done));
    await session.send('Tracing.end');
    await ended;
    await session.detach();
    const thread = (e) => `${e.pid} ${e.tid}`;
    const main = new Set(events.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map(thread));
    const tasks = events.filter((e) => e.name === 'RunTask' && e.ph === 'X' && main.has(thread(e)));
    if (!tasks.some((e) => e.tdur > 0)) throw new Error('the trace has no tasks');
    const most = (of) => Math.max(...tasks.map((e) => (e[of] ?? 0) / 1000));
    return { busy: most('tdur'), wall: most('dur') };
  };
}
