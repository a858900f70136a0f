// Every request is answered exactly once while its connection lasts, and never by an internal error.
export function* checkAnswers(record) {
  for (const call of record.calls.values()) {
    const { id, event, session, begin, answers = 0, body } = call;
    const about = { rule: 'answers', session, at: begin, calls: [id] };
    if (answers > 1) yield { ...about, what: `${event} (${id}) was answered ${answers} times` };
    if (body?.code === 'internal') yield { ...about, what: `${event} (${id}) was answered internal` };
    const of = record.sessions.get(session);
    if (answers === 0 && of.down === Infinity && of.door !== 'rest') yield { ...about, what: `${event} (${id}) was never answered, and the connection is there` };
  }
}
