// Every request is answered exactly once while its connection lasts, never by an internal error, and by one of the database
// only where that was in the way.
import { disturbed, harms } from './reading.mjs';

/** How long after a fault of the database nodes may still say so: they find a silent connection by twice their patience. */
const AFTER_MS = 15_000;

export function* checkAnswers(record) {
  for (const call of record.calls.values()) {
    const { id, event, session, begin, end, answers = 0, body } = call;
    const about = { rule: 'answers', session, at: begin, calls: [id] };
    if (answers > 1) yield { ...about, what: `${event} (${id}) was answered ${answers} times` };
    if (body?.code === 'internal') yield { ...about, what: `${event} (${id}) was answered internal` };
    if (body?.code === 'storage_unavailable' && !disturbed(record, begin, end, harms('database'), AFTER_MS)) {
      yield { ...about, what: `${event} (${id}) was answered storage_unavailable, and nothing was in the way of the database` };
    }
    const of = record.sessions.get(session);
    if (answers === 0 && of.down === Infinity && of.door !== 'rest') yield { ...about, what: `${event} (${id}) was never answered, and the connection is there` };
  }
}
