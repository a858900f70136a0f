import type { Message } from '../protocol/generated/Message';
import type { Rev } from '../protocol/generated/Rev';

/** By place in the history, each message once; of two versions the newer. Gives `list` itself if nothing changes. */
export function mergeMessages(list: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  const places = new Map(list.map((message, index) => [message.id, index]));
  const merged = [...list];
  let isChanged = false;
  for (const message of incoming) {
    const place = places.get(message.id);
    const known = place === undefined ? undefined : merged[place];
    if (known && known.rev >= message.rev) continue;
    if (place === undefined) places.set(message.id, merged.push(message) - 1);
    else merged[place] = message;
    isChanged = true;
  }
  return isChanged ? merged.sort((a, b) => a.seq - b.seq) : list;
}

/** `incoming` in the place of `list`, but what is the same keeps its identity, so that it is not rendered again. */
export function replaceMessages(list: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  const known = new Map(list.map((message) => [message.id, message]));
  return incoming.map((message) => {
    const old = known.get(message.id);
    return old?.rev === message.rev ? old : message;
  });
}

/** In the order of the changes, each change once. */
export function insertByRev(list: readonly Message[], message: Message): readonly Message[] {
  if (list.some((other) => other.rev === message.rev)) return list;
  return [...list, message].sort((a, b) => a.rev - b.rev);
}

/** The changes that follow `rev` without a hole, and those that have to wait for what lies between. */
export function splitAtHole(changes: readonly Message[], rev: Rev): { next: readonly Message[]; later: Message[] } {
  let end = rev;
  const later: Message[] = [];
  for (const change of changes) {
    if (change.rev === end + 1) end = change.rev;
    else if (change.rev > end) later.push(change);
  }
  return { next: changes.filter((change) => change.rev <= end), later };
}
