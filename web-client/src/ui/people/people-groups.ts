import type { Participant } from '../../protocol/generated/Participant';

/** Made once: comparing without one makes one for each comparison. */
const collator = new Intl.Collator();

export interface Groups {
  readonly online: readonly Participant[];
  readonly away: readonly Participant[];
}

/** Whoever is online, and the others; by name. */
export function groupsOf(participants: readonly Participant[]): Groups {
  const byName = [...participants].sort((a, b) => collator.compare(a.username, b.username));
  return {
    online: byName.filter((participant) => participant.online),
    away: byName.filter((participant) => !participant.online),
  };
}
