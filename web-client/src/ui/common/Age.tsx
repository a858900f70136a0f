import { useNow } from '../../hooks';
import type { Timestamp } from '../../protocol/generated/Timestamp';
import { useFormat, useStrings } from '../../strings';

/** When something was, where there is little room. */
export function Age({ at: iso, className }: { at: Timestamp; className?: string | undefined }) {
  const strings = useStrings();
  const format = useFormat();
  const now = useNow(30_000);
  const at = Date.parse(iso);
  return (
    <time className={className} dateTime={iso} title={format.full(at)}>
      {format.short(at, now) ?? strings.common.now}
    </time>
  );
}
