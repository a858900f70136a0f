// What went wrong in full, what went right as a count: a thousand facts are not read one by one.
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const QUIET = ['test:dequeue', 'test:enqueue'];

async function* withoutEveryPass(events) {
  // Started and not ended, the outermost first. A failure needs the starts of all that it is in, or `spec` itself fails.
  const open = [];
  for await (const event of events) {
    const { type, data: { nesting } } = event;
    if (type === 'test:start' && nesting > 0) {
      open.push(event);
    } else if (type === 'test:pass' && open.at(-1)?.data.nesting === nesting) {
      open.pop();
    } else if (type === 'test:fail') {
      yield* open.splice(0);
      yield event;
    } else if (nesting === 0 || !QUIET.includes(type)) {
      yield event;
    }
  }
}

export default async function* reporter(events) {
  yield* Readable.from(withoutEveryPass(events)).pipe(new spec());
}
