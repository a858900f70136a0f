import { ArrowDown, PenLine } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import type { Outgoing, RoomState } from '../../client/room-state';
import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import type { User } from '../../protocol/generated/User';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
import { Hidden } from '../common/Hidden';
import { Notice } from '../common/Notice';
import { Spinner } from '../common/Spinner';
import styles from './MessageList.module.css';
import { type Mark, MessageRow, senderOf } from './MessageRow';
import { moveAmongMessages } from './message-keys';
import { failureOf, type OutgoingActions } from './OutgoingStatus';
import { createRows, type Row } from './rows';
import { useOlder } from './use-older';
import { useStick } from './use-stick';

type Shown = Pick<RoomState, 'messages' | 'outgoing' | 'read_up_to' | 'has_older' | 'loading_older' | 'retry_at'>;

interface MessageListProps {
  room: Shown;
  me: User;
  /** What stands above the first message. */
  intro: string;
  actions: OutgoingActions;
  onLoadOlder: () => void;
  /** How far a message has got, where that is shown. */
  markOf?: (message: Message) => Mark;
  /** In support rooms: as whom I write. */
  sender?: SenderType;
}

export function MessageList({ room, me, intro, actions, onLoadOlder, markOf, sender }: MessageListProps) {
  const strings = useStrings();
  const { messages, outgoing, read_up_to, has_older, loading_older, retry_at } = room;
  const buildRows = useMemo(() => createRows(me.id), [me.id]);
  const rows = useMemo(
    () => buildRows(messages, outgoing, read_up_to, has_older),
    [buildRows, messages, outgoing, read_up_to, has_older],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const onNearStart = useOlder(scroller, room, onLoadOlder);
  const { isAtEnd, toEnd, onScroll } = useStick({
    scroller,
    list,
    rows,
    outgoingCount: outgoing.length,
    onNearStart,
  });
  const isPrepending = usePrepending(rows);
  const newCount = useNewCount(messages, me, isAtEnd);

  return (
    <div className={styles['frame']}>
      <div
        ref={scroller}
        className={styles['log']}
        role="log"
        aria-label={strings.room.messages}
        // Only what arrives is read out (below): rows also come and go with scrolling and with history.
        aria-live="off"
        aria-busy={loading_older}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={moveAmongMessages}
      >
        <div className={styles['spacer']}>
          {rows.length === 0 && !has_older && (
            <Notice icon={<PenLine size={24} />} title={strings.room.emptyTitle} text={strings.room.emptyText} />
          )}
        </div>
        <Virtualizer ref={list} data={rows} as="ol" item="li" shift={isPrepending} bufferSize={600}>
          {(row, index) => (
            <MessageRow
              key={row.key}
              row={row}
              me={me}
              intro={index === 0 && !has_older ? intro : null}
              retryAt={retry_at}
              sender={sender}
              mark={row.kind === 'message' && markOf ? markOf(row.message) : null}
              actions={actions}
            />
          )}
        </Virtualizer>
      </div>
      {loading_older && (
        <span className={styles['older']}>
          <Spinner label={strings.room.loadingOlder} />
        </span>
      )}
      {!isAtEnd && (
        <div className={styles['jump']}>
          <Button small variant={newCount > 0 ? 'primary' : 'secondary'} onPress={toEnd}>
            {newCount > 0 ? strings.room.jumpNew(newCount) : <Hidden>{strings.room.jumpLatest}</Hidden>}
            <ArrowDown size={16} aria-hidden="true" />
          </Button>
        </div>
      )}
      <Arrivals messages={messages} outgoing={outgoing} me={me} />
    </div>
  );
}

/** Whether rows came in above the ones that were there, in the render that brings them. */
function usePrepending(rows: readonly Row[]): boolean {
  const previous = useRef(rows);
  const before = previous.current;
  const firstKey = before[0]?.key;
  useLayoutEffect(() => {
    previous.current = rows;
  }, [rows]);
  if (firstKey === undefined || rows[0]?.key === firstKey) return false;
  return rows.some((row) => row.key === firstKey);
}

/** Messages of others since one was last at the end. */
function useNewCount(messages: readonly Message[], me: User, isAtEnd: boolean): number {
  const last = messages[messages.length - 1]?.seq ?? 0;
  const [seen, setSeen] = useState(last);
  useEffect(() => {
    if (isAtEnd) setSeen(last);
  }, [isAtEnd, last]);
  if (isAtEnd) return 0;
  let count = 0;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (!message || message.seq <= seen) break;
    if (message.user_id !== me.id) count += 1;
  }
  return count;
}

/** More at once (after a gap) are too many to listen to. */
const MAX_READ_OUT = 3;

/** Reads out what arrives, and what could not be sent: here, because rows come and go with scrolling. */
function Arrivals({
  messages,
  outgoing,
  me,
}: {
  messages: readonly Message[];
  outgoing: readonly Outgoing[];
  me: User;
}) {
  const strings = useStrings();
  const last = messages[messages.length - 1]?.seq ?? 0;
  const known = useRef(last);
  const [arrived, setArrived] = useState<readonly Message[]>([]);
  useEffect(() => {
    const isFresh = (message: Message) => message.seq > known.current && message.user_id !== me.id;
    const fresh = messages.slice(-50).filter(isFresh);
    known.current = Math.max(known.current, last);
    if (fresh.length > 0) setArrived(fresh.slice(-MAX_READ_OUT));
  }, [messages, last, me.id]);
  return (
    <div aria-live="polite" aria-relevant="additions">
      <Hidden>
        {arrived.map((message) => (
          <span key={message.id}>{strings.room.arrived(senderOf(message), message.message)}</span>
        ))}
        {outgoing.map(
          (item) => item.state === 'failed' && <span key={item.client_id}>{failureOf(strings, item)}</span>,
        )}
      </Hidden>
    </div>
  );
}
