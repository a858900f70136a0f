import { useState } from 'react';
import { useStrings } from '../../strings';
import { AppDialog } from '../common/AppDialog';
import { CredentialsForm } from '../signin/CredentialsForm';
import type { Mode } from '../signin/credentials';
import styles from './GuestSignInDialog.module.css';

/** What the server does not offer it refuses in words. */
const WAYS = { registration: true };

export function GuestSignInDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const strings = useStrings();
  const [mode, setMode] = useState<Mode>('signIn');
  return (
    <AppDialog title={strings.signIn.guestDialogTitle} isOpen={isOpen} onClose={onClose}>
      <div className={styles['body']}>
        <p className={styles['text']}>{strings.signIn.guestDialogText}</p>
        <CredentialsForm ways={WAYS} mode={mode} onMode={setMode} />
      </div>
    </AppDialog>
  );
}
