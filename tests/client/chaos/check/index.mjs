// All checks of a record, and what they found with its evidence.
import { checkAccess } from './access.mjs';
import { checkAnswers } from './answers.mjs';
import { checkBelief } from './belief.mjs';
import { checkLateness } from './lateness.mjs';
import { checkLimit } from './limit.mjs';
import { checkMembers } from './members.mjs';
import { checkMessages } from './messages.mjs';
import { checkNodes } from './nodes.mjs';
import { checkOrder } from './order.mjs';
import { checkPresence } from './presence.mjs';
import { read } from './reading.mjs';
import { checkStreams } from './streams.mjs';
import { checkTyping } from './typing.mjs';

const CHECKS = [
  checkMessages, checkStreams, checkOrder, checkAccess, checkLimit, checkPresence, checkBelief, checkMembers, checkTyping, checkAnswers, checkLateness,
  checkNodes,
];
/** Entries of a client that are shown before and after a violation. */
const AROUND = 4;

/** Everything that a record violates: `{rule, what, at?, session?, room?, calls?}`. */
export function check(entries) {
  const record = read(entries);
  return CHECKS.flatMap((one) => [...one(record)]);
}

/** A violation in words: what, what the nemesis did at the time, and what the client did and heard around it. */
export function explain(entries, { rule, what, room, session, at = 0, n, calls = [], message }) {
  const lines = [`[${rule}]${room ? ` ${room}:` : ''} ${what}`];
  if (message) lines.push(`    message ${short(message)}`);
  for (const { kind, what: act, node, fault, at: when } of entries) {
    const end = kind === 'fault' && (entries.find((entry) => entry.kind === 'heal' && entry.fault === fault)?.at ?? Infinity);
    if (kind === 'fault' && when < at + 3000 && end > at - 10_000) lines.push(`    nemesis ${when} to ${end}: ${act} ${node ?? ''}`);
  }
  const roomId = room?.slice(room.indexOf('/') + 1);
  const concerns = (entry) => calls.includes(entry.call) || (session && entry.session === session && (entry.kind !== 'event' || !roomId || entry.data?.room_id === roomId));
  const lived = entries.filter(concerns);
  const place = lived.findIndex((entry) => (n === undefined ? entry.at >= at : entry.n >= n));
  const middle = place < 0 ? lived.length : place;
  const shown = lived.filter((entry, i) => calls.includes(entry.call) || Math.abs(i - middle) <= AROUND);
  for (const entry of shown.slice(0, 30)) lines.push(`    ${line(entry)}`);
  return lines.join('\n');
}

function line({ at, session, kind, call, event, payload, body, data, ...rest }) {
  return `${String(at).padStart(9)} ${session} ${kind} ${[call, event, short(payload ?? body ?? data ?? rest)].filter(Boolean).join(' ')}`;
}

function short(value) {
  const text = JSON.stringify(value, (key, inner) => (Array.isArray(inner) && inner.length > 4 ? [...inner.slice(0, 2), `… ${inner.length}`] : inner));
  return text?.length > 260 ? `${text.slice(0, 260)}…` : text;
}
