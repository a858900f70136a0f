import { ChevronsUpDown, LogIn, LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import { useHasUnsent, useMe, useSession, useSessionActions } from '../../hooks';
import { useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import { setTheme, type Theme, useTheme } from '../common/settings';
import type { DialogName } from './Shell';
import styles from './UserMenu.module.css';

export function UserMenu({ onDialog }: { onDialog: (dialog: DialogName) => void }) {
  const strings = useStrings();
  const me = useMe();
  return (
    <div className={styles['frame']}>
      <DialogTrigger>
        <AriaButton className={styles['trigger'] ?? ''} aria-label={strings.userMenu.open(me.username)}>
          <Avatar id={me.id} name={me.username} />
          <bdi className={styles['name']}>{me.username}</bdi>
          <ChevronsUpDown size={16} aria-hidden="true" className={styles['chevron'] ?? ''} />
        </AriaButton>
        <Popover placement="top start" className={styles['popover'] ?? ''} offset={4}>
          <Dialog className={styles['menu'] ?? ''} aria-label={strings.userMenu.open(me.username)}>
            {({ close }) => <MenuContent close={close} onDialog={onDialog} />}
          </Dialog>
        </Popover>
      </DialogTrigger>
    </div>
  );
}

function MenuContent({ close, onDialog }: { close: () => void; onDialog: (dialog: DialogName) => void }) {
  const strings = useStrings();
  const session = useSession();
  const { logout } = useSessionActions();
  const hasUnsent = useHasUnsent();
  const signOut = () => {
    if (!hasUnsent()) return void logout();
    close();
    onDialog('signOut');
  };
  const kind = session.phase === 'signed_in' ? session.kind : 'account';
  return (
    <>
      <ThemeChoice />
      <hr className={styles['line']} />
      {kind === 'guest' && (
        <AriaButton
          className={styles['item'] ?? ''}
          onPress={() => {
            close();
            onDialog('guestSignIn');
          }}
        >
          <LogIn size={16} aria-hidden="true" />
          {strings.userMenu.guestSignIn}
        </AriaButton>
      )}
      {kind === 'token' && <p className={styles['note']}>{strings.userMenu.handedOver}</p>}
      <AriaButton className={styles['item'] ?? ''} onPress={signOut}>
        <LogOut size={16} aria-hidden="true" />
        {kind === 'guest' ? strings.userMenu.guestEnd : strings.userMenu.signOut}
      </AriaButton>
    </>
  );
}

const THEMES: readonly [Theme, typeof Sun][] = [
  ['system', Monitor],
  ['light', Sun],
  ['dark', Moon],
];

function ThemeChoice() {
  const strings = useStrings();
  const theme = useTheme();
  return (
    <fieldset className={styles['themes']}>
      <legend className={styles['legend']}>{strings.userMenu.theme}</legend>
      <div className={styles['segments']}>
        {THEMES.map(([choice, Icon]) => (
          <label key={choice} className={styles['segment']}>
            <input
              type="radio"
              name="theme"
              checked={theme === choice}
              onChange={() => setTheme(choice)}
              className={styles['radio']}
            />
            <Icon size={16} aria-hidden="true" />
            {strings.userMenu.themes[choice]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
