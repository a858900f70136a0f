import { memo, type ReactNode, useMemo, useRef } from 'react';
import type { CustomerConversation, Talk } from '../../client/support/customer-conversation';
import { useNow } from '../../hooks/now';
import { createFormat, pickLocale } from '../../strings/format';
import { Avatar } from '../../ui/common/Avatar';
import { strings } from '../strings';
import { DownIcon } from './icons';
import { LinkedText } from './LinkedText';
import styles from './Log.module.css';
import { type MessageRow, type Row, rowsOf } from './rows';
import { useEnd } from './use-end';

const format = createFormat(pickLocale(strings.lang, navigator.languages));

interface LogProps {
  conversation: CustomerConversation;
  talk: Talk;
  isLoading: boolean;
  /** Where there is nothing yet. */
  greeting: ReactNode;
  /** Below the messages. */
  children: ReactNode;
}

export function Log({ conversation, talk, isLoading, greeting, children }: LogProps) {
  const scroller = useRef<HTMLElement>(null);
  const state = talk.conversation;
  const rows = useMemo(() => rowsOf(state), [state]);
  const { isAtEnd, toEnd, onScroll } = useEnd({
    scroller,
    firstKey: rows.find((row) => row.kind !== 'day')?.key,
    lastKey: rows.at(-1)?.key,
    outgoingCount: state.outgoing.length,
    onNearStart: conversation.loadOlder,
  });
  return (
    <div className={styles['frame']}>
      <section
        ref={scroller}
        role="log"
        aria-label={strings.messages}
        aria-busy={isLoading}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with the keyboard
        tabIndex={0}
        className={styles['log']}
        onScroll={onScroll}
      >
        <div className={styles['content']}>
          {(isLoading || state.loading_older) && <Dots label={strings.loading} />}
          {rows.length === 0 && !isLoading && greeting}
          {rows.map((row) => (
            <RowView key={row.key} row={row} conversation={conversation} />
          ))}
          {children}
        </div>
      </section>
      {!isAtEnd && (
        <button type="button" className={styles['toEnd']} aria-label={strings.toEnd} onClick={toEnd}>
          <DownIcon />
        </button>
      )}
    </div>
  );
}

const RowView = memo(
  function RowView({ row, conversation }: { row: Row; conversation: CustomerConversation }) {
    if (row.kind === 'day') return <Day time={row.time} />;
    if (row.kind === 'new') return <p className={styles['note']}>{strings.newConversation}</p>;
    if (row.kind === 'message') return <MessageView row={row} conversation={conversation} />;
    return (
      <p className={styles['note']} dir="auto">
        {row.text} <time dateTime={new Date(row.time).toISOString()}>{format.time(row.time)}</time>
      </p>
    );
  },
  // Rows are made anew each time; what they say is little.
  (before, after) =>
    before.conversation === after.conversation && JSON.stringify(before.row) === JSON.stringify(after.row),
);

function Day({ time }: { time: number }) {
  return <h2 className={styles['day']}>{format.day(time, useNow(60_000))}</h2>;
}

function MessageView({ row, conversation }: { row: MessageRow; conversation: CustomerConversation }) {
  const { isMine, isFirst, isLast, name, user_id, time, text } = row;
  const sender = isMine ? strings.you : (name ?? strings.us);
  return (
    <article
      className={`${styles['message']} ${isMine ? styles['mine'] : ''} ${isFirst ? styles['first'] : ''} ${isLast ? styles['last'] : ''}`}
      aria-label={strings.messageLabel(sender, format.time(time))}
      data-testid="message"
      data-state={row.state}
    >
      {!isMine && isFirst && (
        <p className={styles['name']} dir="auto">
          {sender}
        </p>
      )}
      {!isMine && (
        <span className={styles['face']}>{isLast && <Avatar id={user_id ?? ''} name={sender} size="small" />}</span>
      )}
      <div className={styles['bubble']} title={format.full(time)}>
        <LinkedText text={text} />
      </div>
      <Status row={row} conversation={conversation} />
    </article>
  );
}

function Status({ row, conversation }: { row: MessageRow; conversation: CustomerConversation }) {
  const { state, client_id, error, time, isLast, isSeen } = row;
  if (state === 'failed' && client_id !== null) {
    return (
      <div className={`${styles['meta']} ${styles['failed']}`}>
        <span>{strings.message.failed(error ? strings.error(error) : '')}</span>
        <button type="button" onClick={() => conversation.retry(client_id)}>
          {strings.message.retry}
        </button>
        <button type="button" onClick={() => conversation.discard(client_id)}>
          {strings.message.discard}
        </button>
      </div>
    );
  }
  if (!isLast) return null;
  if (state === 'sending') return <p className={styles['meta']}>{strings.message.sending}</p>;
  if (state === 'waiting') return <p className={styles['meta']}>{strings.message.waiting}</p>;
  return (
    <p className={styles['meta']}>
      <time dateTime={new Date(time).toISOString()}>{format.time(time)}</time>
      {isSeen && <span> · {strings.message.seen}</span>}
    </p>
  );
}

export function Dots({ label }: { label: string | null }) {
  return (
    <span
      className={styles['dots']}
      {...(label === null ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
    >
      <i />
      <i />
      <i />
    </span>
  );
}
