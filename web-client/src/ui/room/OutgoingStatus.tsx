import { CircleAlert, Clock, Hourglass } from 'lucide-react';
import type { Outgoing } from '../../client/room-state';
import { useNow } from '../../hooks';
import { type Strings, useStrings } from '../../strings';
import { Button } from '../common/Button';
import { focusComposerSoon } from './focus';
import styles from './OutgoingStatus.module.css';

export interface OutgoingActions {
  retry(clientId: string): void;
  discard(clientId: string): void;
}

interface OutgoingStatusProps {
  item: Outgoing;
  retryAt: number | null;
  actions: OutgoingActions;
}

/** Why it was not sent. */
export function failureOf(strings: Strings, { error }: Outgoing): string {
  return error ? strings.room.failed(strings.error(error)) : strings.room.failedUnknown;
}

/** How far a message of mine has got. */
export function OutgoingStatus({ item, retryAt, actions }: OutgoingStatusProps) {
  const strings = useStrings();
  if (item.state === 'sending') {
    return (
      <span className={`${styles['status']} ${styles['late']}`}>
        <Clock size={12} aria-hidden="true" />
        {strings.room.sending}
      </span>
    );
  }
  if (item.state === 'waiting') {
    return (
      <span className={styles['status']}>
        <Hourglass size={12} aria-hidden="true" />
        <Waiting retryAt={retryAt} />
      </span>
    );
  }
  // The button goes with what it does: the focus must be somewhere.
  const leave = (act: (clientId: string) => void) => {
    act(item.client_id);
    focusComposerSoon();
  };
  return (
    <div className={styles['failed']}>
      <span className={styles['reason']}>
        <CircleAlert size={14} aria-hidden="true" />
        {failureOf(strings, item)}
      </span>
      <Button small onPress={() => leave(actions.retry)}>
        {strings.room.retry}
      </Button>
      <Button small variant="quiet" onPress={() => leave(actions.discard)}>
        {strings.room.discard}
      </Button>
    </div>
  );
}

function Waiting({ retryAt }: { retryAt: number | null }) {
  const strings = useStrings();
  const now = useNow();
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? strings.room.waiting(seconds) : strings.room.sending;
}
