import { CloudOff, WifiOff } from 'lucide-react';
import { type ConnectionState, useConnection, useNow } from '../../hooks';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
import { Spinner } from '../common/Spinner';
import { useLate } from '../common/use-late';
import styles from './Connection.module.css';

/** Says how the connection is when it is not as it should be. It floats: nothing moves when it comes and goes. */
export function Connection() {
  return <ConnectionPill {...useConnection()} />;
}

export function ConnectionPill({ reconnectNow, ...state }: ConnectionState & { reconnectNow: () => void }) {
  const strings = useStrings();
  const isLate = useLate(state.phase !== 'live');
  const isShown = state.phase === 'offline' || (state.phase !== 'live' && isLate);
  return (
    <div className={styles['place']}>
      <div className={styles['status']} role="status" aria-label={strings.connection.region} data-phase={state.phase}>
        {isShown && (
          <div className={styles['pill']}>
            <Words state={state} />
          </div>
        )}
      </div>
      {isShown && state.phase === 'reconnecting' && state.retry_at !== null && (
        <Button small onPress={reconnectNow}>
          {strings.connection.tryNow}
        </Button>
      )}
    </div>
  );
}

function Words({ state }: { state: ConnectionState }) {
  const strings = useStrings();
  switch (state.phase) {
    case 'live':
      return null;
    case 'connecting':
      return (
        <>
          <Spinner label={strings.common.loading} />
          {strings.connection.connecting}
        </>
      );
    case 'offline':
      return (
        <>
          <WifiOff size={16} aria-hidden="true" />
          {strings.connection.offline}
        </>
      );
    case 'reconnecting':
      return (
        <>
          <CloudOff size={16} aria-hidden="true" />
          {strings.connection.reconnecting}
          {/* Read out it would interrupt every second. */}
          <span className={styles['detail']} aria-hidden="true">
            <Attempt number={state.attempt} nextAt={state.retry_at} />
          </span>
        </>
      );
  }
}

function Attempt({ number, nextAt }: { number: number; nextAt: number | null }) {
  const strings = useStrings();
  const now = useNow();
  return strings.connection.attempt(number, nextAt === null ? 0 : Math.ceil((nextAt - now) / 1000));
}
