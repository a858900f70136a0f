import { useSessionActions } from '../../hooks';
import { useStrings } from '../../strings';
import { AppDialog } from '../common/AppDialog';
import { Button } from '../common/Button';
import styles from './GuestSignInDialog.module.css';

/** Asked where messages are left that would go with whoever signs out. */
export function SignOutDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const strings = useStrings();
  const { logout } = useSessionActions();
  return (
    <AppDialog title={strings.userMenu.unsentTitle} isOpen={isOpen} onClose={onClose}>
      <div className={styles['body']}>
        <p className={styles['text']}>{strings.userMenu.unsentText}</p>
        <Button variant="primary" onPress={onClose} autoFocus>
          {strings.common.cancel}
        </Button>
        <Button onPress={() => void logout()}>{strings.userMenu.unsentSignOut}</Button>
      </div>
    </AppDialog>
  );
}
