import { CircleAlert, Clock, Hourglass } from 'lucide-react';
import type { Outgoing } from '../../client/room-state';
import { useNow } from '../../hooks';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
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
  const reason = item.error ? strings.room.failed(strings.error(item.error)) : strings.room.failedUnknown;
  return (
    <div className={styles['failed']}>
      <span className={styles['reason']} role="alert">
        <CircleAlert size={14} aria-hidden="true" />
        {reason}
      </span>
      <Button small onPress={() => actions.retry(item.client_id)}>
        {strings.room.retry}
      </Button>
      <Button small variant="quiet" onPress={() => actions.discard(item.client_id)}>
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
