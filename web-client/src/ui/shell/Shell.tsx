import { useState } from 'react';
import { useStrings } from '../../strings';
import { Toasts } from '../common/Toasts';
import { FindDialog } from '../find/FindDialog';
import { NewRoomDialog } from '../find/NewRoomDialog';
import { COMPOSER_ID } from '../room/focus';
import { PersonScreen } from '../room/PersonScreen';
import { RoomScreen } from '../room/RoomScreen';
import { type Place, usePlace } from '../routes';
import { Connection } from './Connection';
import { NothingOpen, UnknownPlace } from './Empty';
import { GuestSignInDialog } from './GuestSignInDialog';
import styles from './Shell.module.css';
import { Sidebar } from './Sidebar';
import { SignOutDialog } from './SignOutDialog';
import { StartTitle } from './title';

export type DialogName = 'newRoom' | 'find' | 'guestSignIn' | 'signOut';

/** Everything that people who are signed in see. */
export function Shell() {
  const strings = useStrings();
  const place = usePlace();
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const close = () => setDialog(null);
  return (
    <div className={styles['shell']} data-pane={place.name === 'start' ? 'list' : 'main'}>
      {place.name === 'room' && (
        <a className={styles['skip']} href={`#${COMPOSER_ID}`}>
          {strings.shell.skip}
        </a>
      )}
      <Sidebar place={place} onDialog={setDialog} />
      <main className={styles['main']}>
        <Screen place={place} onDialog={setDialog} />
      </main>
      <Connection />
      <NewRoomDialog isOpen={dialog === 'newRoom'} onClose={close} />
      <FindDialog isOpen={dialog === 'find'} onClose={close} onSignIn={() => setDialog('guestSignIn')} />
      <GuestSignInDialog isOpen={dialog === 'guestSignIn'} onClose={close} />
      <SignOutDialog isOpen={dialog === 'signOut'} onClose={close} />
      <Toasts />
    </div>
  );
}

function Screen({ place, onDialog }: { place: Place; onDialog: (dialog: DialogName) => void }) {
  switch (place.name) {
    case 'room':
      // A key per room: nothing of one room (scroll position, open popovers) shows in another.
      return <RoomScreen key={`${typeof place.roomId}:${place.roomId}`} roomId={place.roomId} />;
    case 'person':
      return <PersonScreen key={`${typeof place.userId}:${place.userId}`} userId={place.userId} />;
    case 'start':
      return (
        <>
          <StartTitle />
          <NothingOpen onDialog={onDialog} />
        </>
      );
    case 'unknown':
      return (
        <>
          <StartTitle />
          <UnknownPlace />
        </>
      );
  }
}
