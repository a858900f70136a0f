import { Eye, UserRound } from 'lucide-react';
import { memo } from 'react';
import { Link } from 'wouter';
import { deskPath } from '../../client/room-path';
import { unreadOf } from '../../client/support/desk-state';
import { useMe } from '../../hooks';
import { useDeskState } from '../../hooks/desk';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import { useStrings } from '../../strings';
import { useStaffStrings } from '../../strings/staff';
import { Age } from '../common/Age';
import { Avatar } from '../common/Avatar';
import { Hidden } from '../common/Hidden';
import { FROM_LIST } from '../routes';
import rows from '../shell/ConversationRow.module.css';
import styles from './CustomerRow.module.css';
import { rowKey } from './list-keys';

interface CustomerRowProps {
  room: CustomerRoom;
  isOpen: boolean;
  isFromList: boolean;
}

export const CustomerRow = memo(function CustomerRow({ room, isOpen, isFromList }: CustomerRowProps) {
  const strings = useStrings();
  const unread = useDeskState((state) => (room.status === 'closed' ? 0 : unreadOf(state, room)));
  const { id, customer_name, customer_id, is_online, last_message_at, created_at, status } = room;
  return (
    <li className={styles['item']}>
      <Link
        href={deskPath(id)}
        state={isFromList ? FROM_LIST : undefined}
        className={`${rows['row']} ${styles['row']} ${unread > 0 ? rows['unread'] : ''}`}
        aria-current={isOpen ? 'page' : undefined}
        data-room={rowKey(id)}
      >
        <Avatar id={customer_id} name={customer_name} presence={dotOf(room)} />
        {is_online && status !== 'closed' && <Hidden>{strings.common.online}</Hidden>}
        <span className={rows['body']}>
          <span className={rows['top']}>
            <bdi className={rows['name']}>{customer_name}</bdi>
            <Age at={last_message_at ?? created_at} className={rows['age']} />
          </span>
          <span className={rows['bottom']}>
            <Preview room={room} />
            {unread > 0 && (
              <span className={rows['badge']}>
                <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
                <Hidden>{strings.shell.unread(unread)}</Hidden>
              </span>
            )}
          </span>
          <Facts room={room} />
        </span>
      </Link>
    </li>
  );
});

const dotOf = ({ status, is_online }: CustomerRoom) =>
  status === 'closed' ? undefined : is_online ? 'online' : 'offline';

function Preview({ room: { id, last_message } }: { room: CustomerRoom }) {
  const strings = useStaffStrings();
  const me = useMe();
  const isTyping = useDeskState((state) => state.typists.some((typist) => typist.room_id === id && !typist.is_staff));
  if (isTyping) return <span className={`${rows['preview']} ${styles['typing']}`}>{strings.typingShort}</span>;
  if (!last_message) return <span className={rows['preview']}>{strings.noMessages}</span>;
  const { user_id, sender_type, sender_name, username, message } = last_message;
  const text = message.replace(/\s+/gu, ' ');
  let line = text;
  if (sender_type === 'staff') {
    line = user_id === me.id ? strings.previewMine(text) : strings.previewStaff(sender_name ?? username, text);
  }
  return (
    <span className={rows['preview']} dir="auto">
      {line}
    </span>
  );
}

/** How to reach the customer, and who of the staff is at it. */
function Facts({ room: { id, customer_email, is_guest, assigned_to, assigned_name } }: { room: CustomerRoom }) {
  const strings = useStaffStrings();
  const me = useMe();
  const viewers = useDeskState((state) => state.viewers);
  const names = viewers.filter((viewer) => viewer.room_id === id).map(({ username }) => username);
  const isMine = assigned_to === me.id;
  return (
    <span className={styles['facts']}>
      <span className={styles['email']}>{customer_email ?? (is_guest ? strings.guest : '')}</span>
      {names.length > 0 && (
        <span className={styles['fact']} title={strings.viewing(names)}>
          <Eye size={13} aria-hidden="true" />
          <bdi aria-hidden="true">{names[0]}</bdi>
          <Hidden>{strings.viewing(names)}</Hidden>
        </span>
      )}
      {assigned_to !== null && (
        <span className={`${styles['fact']} ${isMine ? styles['mine'] : ''}`}>
          <UserRound size={13} aria-hidden="true" />
          <bdi aria-hidden="true">{isMine ? strings.you : (assigned_name ?? '')}</bdi>
          <Hidden>{strings.assignee(isMine ? strings.you : (assigned_name ?? ''))}</Hidden>
        </span>
      )}
    </span>
  );
}
