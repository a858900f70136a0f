import { Eye } from 'lucide-react';
import { useDeskState } from '../../hooks/desk';
import type { RoomId } from '../../protocol/generated/RoomId';
import { useStaffStrings } from '../../strings/staff';
import lines from '../room/TypingLine.module.css';
import styles from './CustomerScreen.module.css';

/** Who is writing, and which colleague is looking on. Its place is always there, so that nothing moves. */
export function ActivityLine({ roomId }: { roomId: RoomId }) {
  const strings = useStaffStrings();
  const typists = useDeskState((state) => state.typists).filter((typist) => typist.room_id === roomId);
  const viewers = useDeskState((state) => state.viewers).filter((viewer) => viewer.room_id === roomId);
  const customer = useDeskState((state) => state.rooms.get(roomId)?.customer_name);
  // The customer is one, whatever they are called where they write.
  const customers = typists
    .filter(({ is_staff }) => !is_staff)
    .slice(0, 1)
    .map(({ username }) => customer ?? username);
  const colleagues = typists.filter(({ is_staff }) => is_staff).map(({ username }) => username);
  const isTyping = typists.length > 0;
  const onlookers = viewers.map(({ username }) => username).filter((name) => !colleagues.includes(name));
  return (
    <div className={`${lines['line']} ${styles['activity']}`} role="status" aria-label={strings.activity}>
      {isTyping && (
        <span className={lines['dots']} aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      )}
      {customers.length > 0 && <span className={lines['text']}>{strings.typing(customers)}</span>}
      {colleagues.length > 0 && (
        <span className={`${lines['text']} ${styles['colleague']}`}>{strings.answering(colleagues)}</span>
      )}
      {onlookers.length > 0 && (
        <span className={`${lines['text']} ${styles['onlookers']}`}>
          <Eye size={14} aria-hidden="true" />
          {strings.viewing(onlookers)}
        </span>
      )}
    </div>
  );
}
