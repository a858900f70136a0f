import { ArrowLeft, Users } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStrings } from '../../strings';
import { IconButton } from '../common/Button';
import { leaveRoom } from '../routes';
import styles from './RoomHeader.module.css';

interface RoomHeaderProps {
  avatar: ReactNode;
  name: string;
  detail: ReactNode;
  /** Where the way back leads. */
  list?: string;
  children?: ReactNode;
  /** Left out where there are no people to show. */
  people?: { isOpen: boolean; onToggle: () => void } | undefined;
}

export function RoomHeader({ avatar, name, detail, people, list = '/', children }: RoomHeaderProps) {
  const strings = useStrings();
  return (
    <header className={styles['header']}>
      <IconButton label={strings.common.back} onPress={() => leaveRoom(list)} className={styles['back']}>
        <ArrowLeft size={20} aria-hidden="true" />
      </IconButton>
      {avatar}
      <div className={styles['words']}>
        <h2 className={styles['name']} title={name}>
          <bdi>{name}</bdi>
        </h2>
        <p className={styles['detail']}>{detail}</p>
      </div>
      {people && (
        <IconButton label={strings.room.people} aria-expanded={people.isOpen} onPress={people.onToggle}>
          <Users size={18} aria-hidden="true" />
        </IconButton>
      )}
      {children}
    </header>
  );
}
