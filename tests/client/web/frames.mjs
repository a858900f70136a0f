// How smoothly a page runs: times between frames, from key to paint, and of tasks that hold everything up.

/** Milliseconds as one reads them: `median 16.7, p95 18.1, max 40.2, 0 of 600 over 50 ms`. */
export function summary(times) {
  const { median, p95, max, slow } = statistics(times);
  const [a, b, c] = [median, p95, max].map((time) => time.toFixed(1));
  return `median ${a} ms, p95 ${b} ms, max ${c} ms, ${slow} of ${times.length} over 50 ms`;
}

export function statistics(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const share = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { median: share(0.5), p95: share(0.95), max: sorted.at(-1) ?? 0, slow: sorted.filter((time) => time > 50).length };
}

/** Scrolls by `step` px a frame. Resolves to the times between the frames. */
export const scrollSmoothly = (list, step, frames) => list.evaluate((log, { step, frames }) => new Promise((resolve) => {
  const times = [];
  let last;
  const frame = (now) => {
    if (last !== undefined) times.push(now - last);
    last = now;
    if (times.length >= frames) return resolve(times);
    log.scrollTop += step;
    return requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}), { step, frames });

/** From here on the page notes how long each input takes from the key to the next frame, and every task over 50 ms. */
export async function watchInputs(page) {
  await page.evaluate(() => {
    globalThis.inputs = [];
    globalThis.longTasks = [];
    new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: 'longtask' });
    document.addEventListener('input', ({ timeStamp }) => {
      requestAnimationFrame(() => {
        // The next task comes when the frame is done.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => globalThis.inputs.push(performance.now() - timeStamp);
        port2.postMessage(null);
      });
    }, { capture: true });
  });
}

/** What was noted since the last call. */
export const noted = (page) => page.evaluate(() => {
  const { inputs, longTasks } = globalThis;
  Object.assign(globalThis, { inputs: [], longTasks: [] });
  return { inputs, longTasks };
});
