import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { personPath, roomPath } from '../../client/room-path';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { RoomKind } from '../../protocol/generated/RoomKind';
import type { UserFound } from '../../protocol/generated/UserFound';
import { useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import { LastSeen } from '../common/LastSeen';
import { RoomIcon } from '../common/RoomIcon';
import styles from './Results.module.css';

export interface RoomSummary {
  readonly id: RoomId;
  readonly name: string;
  readonly kind: RoomKind;
  /** null: not known */
  readonly count: number | null;
  readonly isJoined: boolean;
}

export function RoomResult({ room, onOpen }: { room: RoomSummary; onOpen: () => void }) {
  const strings = useStrings();
  const count = room.count === null ? null : strings.find.participants(room.count);
  return (
    <Result href={roomPath(room.id)} onOpen={onOpen} name={room.name} detail={count ?? strings.room.kinds[room.kind]}>
      <Avatar id={room.id} name={room.name} icon={<RoomIcon kind={room.kind} size={18} />} />
      {room.isJoined && <span className={styles['mark']}>{strings.find.joined}</span>}
    </Result>
  );
}

export function PersonResult({ person, onOpen }: { person: UserFound; onOpen: () => void }) {
  return (
    <Result href={personPath(person.id)} onOpen={onOpen} name={person.username} detail={<LastSeen presence={person} />}>
      <Avatar id={person.id} name={person.username} presence={person.online ? 'online' : 'offline'} />
    </Result>
  );
}

interface ResultProps {
  href: string;
  onOpen: () => void;
  name: string;
  detail: ReactNode;
  /** The picture, and a mark at the end. */
  children: ReactNode;
}

function Result({ href, onOpen, name, detail, children }: ResultProps) {
  return (
    <li>
      <Link href={href} onClick={onOpen} className={styles['result']}>
        <span className={styles['words']}>
          <bdi className={styles['name']}>{name}</bdi>
          <span className={styles['detail']}>{detail}</span>
        </span>
        {children}
      </Link>
    </li>
  );
}
