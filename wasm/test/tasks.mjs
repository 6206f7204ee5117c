// How long a page's main thread is busy at a time, from the browser's trace:
// the processor's time of each task, which other programs do not lengthen.

/** What no task may take, in ms of the processor. The tests print what it was. */
export const frozen = 50;

/** Begins to watch; the result ends it and gives the longest task's {busy, wall} in ms, of the processor and by the clock. */
export async function mainThread(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const includedCategories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } });
  return async () => {
    // The trace is of the browser, whose own pages have tasks too: this tells which thread is the page's.
    await page.evaluate(() => console.timeStamp('this page'));
    const ended = new Promise((done) => session.once('Tracing.tracingComplete', done));
    await session.send('Tracing.end');
    await ended;
    await session.detach();
    const mark = events.find((e) => e.name === 'TimeStamp' && e.args.data?.message === 'this page');
    if (!mark) throw new Error('the trace does not have the page');
    const tasks = events.filter((e) => e.name === 'RunTask' && e.ph === 'X' && e.pid === mark.pid && e.tid === mark.tid);
    if (!tasks.some((e) => e.tdur > 0)) throw new Error('the trace has no tasks');
    const most = (of) => Math.max(...tasks.map((e) => (e[of] ?? 0) / 1000));
    return { busy: most('tdur'), wall: most('dur') };
  };
}
