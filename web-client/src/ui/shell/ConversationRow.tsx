import { memo } from 'react';
import { Link } from 'wouter';
import { roomPath } from '../../client/room-path';
import { useMe, usePresence } from '../../hooks';
import type { Conversation } from '../../protocol/generated/Conversation';
import { useStrings } from '../../strings';
import { Age } from '../common/Age';
import { Avatar } from '../common/Avatar';
import { Hidden } from '../common/Hidden';
import { RoomIcon } from '../common/RoomIcon';
import { FROM_LIST } from '../routes';
import styles from './ConversationRow.module.css';

interface ConversationRowProps {
  conversation: Conversation;
  isOpen: boolean;
  /** Whether nothing but the list is open. */
  isFromList: boolean;
}

export const ConversationRow = memo(function ConversationRow({
  conversation,
  isOpen,
  isFromList,
}: ConversationRowProps) {
  const strings = useStrings();
  const { room_id, name, kind, unread_count, last_message_at } = conversation;
  const isUnread = unread_count > 0 && !isOpen;
  return (
    <li>
      <Link
        href={roomPath(room_id)}
        state={isFromList ? FROM_LIST : undefined}
        className={`${styles['row']} ${isUnread ? styles['unread'] : ''}`}
        aria-current={isOpen ? 'page' : undefined}
      >
        {kind === 'direct' ? (
          <PersonAvatar conversation={conversation} />
        ) : (
          <Avatar id={room_id} name={name} icon={<RoomIcon kind={kind} size={18} />} />
        )}
        <span className={styles['body']}>
          <span className={styles['top']}>
            <bdi className={styles['name']}>{name}</bdi>
            {last_message_at !== null && <Age at={last_message_at} className={styles['age']} />}
          </span>
          <span className={styles['bottom']}>
            <Preview conversation={conversation} />
            {isUnread && (
              <span className={styles['badge']}>
                <span aria-hidden="true">{unread_count > 99 ? '99+' : unread_count}</span>
                <Hidden>{strings.shell.unread(unread_count)}</Hidden>
              </span>
            )}
          </span>
        </span>
      </Link>
    </li>
  );
});

function PersonAvatar({ conversation: { name, participants, room_id } }: { conversation: Conversation }) {
  const me = useMe();
  const strings = useStrings();
  const other = participants.find((participant) => participant.id !== me.id);
  const { online } = usePresence(other?.id);
  return (
    <>
      <Avatar id={other?.id ?? room_id} name={name} presence={online ? 'online' : 'offline'} />
      {online && <Hidden>{strings.common.online}</Hidden>}
    </>
  );
}

function Preview({ conversation: { last_message, kind } }: { conversation: Conversation }) {
  const me = useMe();
  const strings = useStrings();
  if (!last_message) return <span className={styles['preview']}>{strings.shell.noMessages}</span>;
  const { user_id, username, message } = last_message;
  const text = message.replace(/\s+/gu, ' ');
  let line = text;
  if (user_id === me.id) line = strings.shell.previewMine(text);
  else if (kind !== 'direct') line = strings.shell.preview(username, text);
  return (
    <span className={styles['preview']} dir="auto">
      {line}
    </span>
  );
}
