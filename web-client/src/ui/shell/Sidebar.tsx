import { Headset, Plus, Search } from 'lucide-react';
import { Link } from 'wouter';
import { useMe } from '../../hooks';
import { useStrings } from '../../strings';
import { IconButton } from '../common/Button';
import { Logo } from '../common/Logo';
import type { Place } from '../routes';
import { ConversationList } from './ConversationList';
import type { DialogName } from './Shell';
import styles from './Sidebar.module.css';
import { UserMenu } from './UserMenu';

export function Sidebar({ place, onDialog }: { place: Place; onDialog: (dialog: DialogName) => void }) {
  const strings = useStrings();
  const me = useMe();
  return (
    <nav className={styles['sidebar']} aria-label={strings.shell.sidebar}>
      <header className={styles['header']}>
        <Logo size={28} />
        <h1 className={styles['title']}>{strings.product}</h1>
        <IconButton label={strings.shell.find} onPress={() => onDialog('find')}>
          <Search size={18} aria-hidden="true" />
        </IconButton>
        <IconButton label={strings.shell.newRoom} onPress={() => onDialog('newRoom')}>
          <Plus size={20} aria-hidden="true" />
        </IconButton>
      </header>
      {me.is_staff && (
        <Link href="/staff" className={styles['desk']}>
          <Headset size={18} aria-hidden="true" />
          {strings.shell.desk}
        </Link>
      )}
      <ConversationList place={place} onDialog={onDialog} />
      <UserMenu onDialog={onDialog} />
    </nav>
  );
}
