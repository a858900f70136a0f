import { Check, CheckCheck, Copy } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { useNow } from '../../hooks';
import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import type { User } from '../../protocol/generated/User';
import type { UserId } from '../../protocol/generated/UserId';
import { type Strings, useFormat, useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import { IconButton } from '../common/Button';
import { Hidden } from '../common/Hidden';
import { toast } from '../common/toasts';
import styles from './MessageRow.module.css';
import { MessageText } from './MessageText';
import { type OutgoingActions, OutgoingStatus } from './OutgoingStatus';
import type { Row } from './rows';

/** Whether the other side has read it; null: not shown. */
export type Mark = 'sent' | 'read' | null;

/** In support rooms people have a name of their own. */
export const senderOf = ({ sender_name, username }: Message): string => sender_name ?? username;

interface MessageRowProps {
  row: Row;
  me: User;
  /** What stands above the room's first message. */
  intro: string | null;
  retryAt: number | null;
  actions: OutgoingActions;
  mark?: Mark;
  /** As whom I write. */
  sender?: SenderType | undefined;
}

/** Rows of messages change with their place only; what is outgoing is always looked at anew. */
function isSame(a: MessageRowProps, b: MessageRowProps): boolean {
  return a.row === b.row && a.row.kind === 'message' && a.intro === b.intro && a.me === b.me && a.mark === b.mark;
}

export const MessageRow = memo(function MessageRow({
  row,
  me,
  intro,
  retryAt,
  actions,
  mark = null,
  sender,
}: MessageRowProps) {
  const strings = useStrings();
  return (
    <>
      {intro !== null && <p className={styles['intro']}>{intro}</p>}
      {row.day !== null && <DayDivider at={row.day} />}
      {row.isFirstNew && <div className={styles['newDivider']}>{strings.room.newMessages}</div>}
      {row.kind === 'message' && row.message.sender_type === 'system' && <Note message={row.message} at={row.at} />}
      {row.kind === 'message' && row.message.sender_type !== 'system' && (
        <Frame
          userId={row.message.user_id}
          username={senderOf(row.message)}
          at={row.at}
          iso={row.message.timestamp}
          isHead={row.isHead}
          state="sent"
          text={row.message.message}
          sender={row.message.sender_type}
          mark={mark}
        />
      )}
      {row.kind === 'outgoing' && (
        <Frame
          userId={me.id}
          username={me.username}
          at={row.at}
          iso={row.item.created_at}
          isHead={row.isHead}
          state={row.item.state}
          text={row.item.text}
          sender={sender}
        >
          <OutgoingStatus item={row.item} retryAt={retryAt} actions={actions} />
        </Frame>
      )}
    </>
  );
}, isSame);

interface FrameProps {
  userId: UserId;
  username: string;
  at: number;
  iso: string;
  isHead: boolean;
  state: 'sent' | 'sending' | 'waiting' | 'failed';
  text: string;
  /** In support rooms. */
  sender?: SenderType | undefined;
  mark?: Mark;
  children?: ReactNode;
}

function Frame({ userId, username, at, iso, isHead, state, text, sender, mark = null, children }: FrameProps) {
  const strings = useStrings();
  const format = useFormat();
  const time = (
    <time dateTime={iso} title={format.full(at)} className={styles['time']}>
      {isHead ? format.time(at) : format.clock(at)}
    </time>
  );
  return (
    <article
      className={`${styles['message']} ${isHead ? styles['head'] : ''}`}
      aria-label={strings.room.messageLabel(username, format.time(at))}
      data-testid="message"
      data-state={state}
      data-sender={sender}
      // The arrow keys go from one to the next: see message-keys.ts.
      tabIndex={-1}
    >
      <div className={styles['gutter']}>{isHead ? <Avatar id={userId} name={username} /> : time}</div>
      <div className={styles['body']}>
        {isHead && (
          <header className={styles['header']}>
            <bdi className={styles['name']}>{username}</bdi>
            {time}
          </header>
        )}
        <MessageText text={text} />
        {children}
      </div>
      {mark && (
        <span className={styles['mark']} data-mark={mark}>
          {mark === 'read' ? <CheckCheck size={14} aria-hidden="true" /> : <Check size={14} aria-hidden="true" />}
          <Hidden>{strings.room.marks[mark]}</Hidden>
        </span>
      )}
      {CAN_COPY && (
        <div className={styles['actions']}>
          <IconButton small label={strings.room.copy} onPress={() => void copy(text, strings)}>
            <Copy size={15} aria-hidden="true" />
          </IconButton>
        </div>
      )}
    </article>
  );
}

/** What happened to the conversation. */
function Note({ message: { message: text, timestamp }, at }: { message: Message; at: number }) {
  const format = useFormat();
  return (
    <article className={styles['note']} data-testid="message" data-state="sent" data-sender="system" tabIndex={-1}>
      <span data-testid="text" dir="auto">
        {text}
      </span>
      <time dateTime={timestamp} title={format.full(at)} className={styles['time']}>
        {format.time(at)}
      </time>
    </article>
  );
}

/** Browsers keep the clipboard from pages that came over plain http. */
const CAN_COPY = window.isSecureContext && 'clipboard' in navigator;

async function copy(text: string, strings: Strings): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(strings.room.copied, 'info');
  } catch {
    toast(strings.room.copyFailed);
  }
}

function DayDivider({ at }: { at: number }) {
  const format = useFormat();
  const now = useNow(60_000);
  return (
    <div className={styles['day']}>
      <span>{format.day(at, now)}</span>
    </div>
  );
}
