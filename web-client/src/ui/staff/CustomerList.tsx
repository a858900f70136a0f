import { CircleCheck } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';
import { roomsOf } from '../../client/support/desk-state';
import { useDesk, useDeskConnection, useDeskState } from '../../hooks/desk';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import { useStrings } from '../../strings';
import { useStaffStrings } from '../../strings/staff';
import { Button } from '../common/Button';
import { Notice } from '../common/Notice';
import { Spinner } from '../common/Spinner';
import { Skeleton } from '../shell/ConversationList';
import styles from './CustomerList.module.css';
import { CustomerRow } from './CustomerRow';
import { rowKey } from './list-keys';

interface CustomerListProps {
  status: SupportStatus;
  openId: RoomId | null;
  /** Listed whatever its status is by now. */
  keptId: RoomId | null;
  /** Whether nothing but the list is open. */
  isFromList: boolean;
}

export function CustomerList({ status, openId, keptId, isFromList }: CustomerListProps) {
  const strings = useStaffStrings();
  const all = useDeskState((state) => state.rooms);
  const rooms = useMemo(() => roomsOf({ rooms: all }, status, keptId), [all, status, keptId]);
  const isReady = useDeskState((state) => state.phase === 'ready');
  const { phase, has_more } = useDeskState((state) => state.loaded[status]);
  const isWaiting = !isReady || (rooms.length === 0 && has_more && phase !== 'failed');
  const [title, text] = strings.empty[status];
  return (
    <div className={styles['scroller']} aria-busy={isWaiting}>
      {isWaiting && <Skeleton />}
      {isReady && rooms.length === 0 && !has_more && (
        <Notice compact icon={<CircleCheck size={22} />} title={title} text={text} />
      )}
      {rooms.length > 0 && (
        // Safari takes the role from a list without bullets.
        // biome-ignore lint/a11y/noRedundantRoles: see above
        <ul role="list" aria-label={strings.list} className={styles['list']}>
          {rooms.map((room) => (
            <CustomerRow key={rowKey(room.id)} room={room} isOpen={room.id === openId} isFromList={isFromList} />
          ))}
        </ul>
      )}
      {isReady && has_more && <More status={status} />}
    </div>
  );
}

/** Stands at the end of what is loaded: the next page is asked for when it comes near. */
function More({ status }: { status: SupportStatus }) {
  const strings = useStaffStrings();
  const { common } = useStrings();
  const desk = useDesk();
  const { phase, cursor } = useDeskState((state) => state.loaded[status]);
  const connection = useDeskConnection();
  const end = useRef<HTMLDivElement>(null);
  const isLive = connection.phase === 'live';
  // Looked at anew with each page: one that is short leaves the end where it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    const element = end.current;
    if (!element || phase !== 'idle' || !isLive) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) desk.loadMore(status);
      },
      { rootMargin: '400px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [desk, status, phase, cursor, isLive]);
  return (
    <div ref={end} className={styles['more']}>
      {phase === 'loading' && <Spinner label={strings.loadingMore} />}
      {phase === 'failed' && (
        <>
          <p>{strings.failed}</p>
          <Button small onPress={() => desk.loadMore(status)}>
            {common.retry}
          </Button>
        </>
      )}
    </div>
  );
}
