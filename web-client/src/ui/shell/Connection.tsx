import { CloudOff, WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { type ConnectionState, useConnection, useNow } from '../../hooks';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
import { Spinner } from '../common/Spinner';
import styles from './Connection.module.css';

/** Shorter than this is not worth a word. */
const PATIENCE_MS = 500;

/** Says how the connection is when it is not as it should be. It floats: nothing moves when it comes and goes. */
export function Connection() {
  const strings = useStrings();
  const { reconnectNow, ...state } = useConnection();
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
            {strings.connection.attempt(state.attempt)}, <Countdown until={state.retry_at} />
          </span>
        </>
      );
  }
}

function Countdown({ until }: { until: number | null }) {
  const strings = useStrings();
  const now = useNow();
  const seconds = until === null ? 0 : Math.ceil((until - now) / 1000);
  return seconds > 0 ? strings.connection.next(seconds) : strings.connection.trying;
}

/** Whether `isOn` has been true for a while. */
function useLate(isOn: boolean): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isOn) return;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [isOn]);
  return isOn && isLate;
}
