import { useNow } from '../../hooks';
import type { Timestamp } from '../../protocol/generated/Timestamp';
import { useFormat, useStrings } from '../../strings';

interface LastSeenProps {
  presence: { readonly online: boolean; readonly last_seen: Timestamp | null };
}

/** "Online", or when somebody last was. */
export function LastSeen({ presence: { online, last_seen } }: LastSeenProps) {
  const strings = useStrings();
  const format = useFormat();
  const now = useNow(30_000);
  if (online) return strings.common.online;
  if (last_seen === null) return strings.common.offline;
  const at = Date.parse(last_seen);
  return (
    <time dateTime={last_seen} title={format.full(at)}>
      {strings.people.lastSeen(format.ago(at, now) ?? strings.common.justNow)}
    </time>
  );
}
