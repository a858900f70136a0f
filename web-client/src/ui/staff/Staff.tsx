import { Compass, Inbox, ShieldX } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useMe, useSessionActions } from '../../hooks';
import { DeskProvider, useDeskConnection, useDeskState, useDeskUnread } from '../../hooks/desk';
import type { RoomId } from '../../protocol/generated/RoomId';
import { useStrings } from '../../strings';
import { useStaffStrings } from '../../strings/staff';
import { Button } from '../common/Button';
import { Notice } from '../common/Notice';
import { Toasts } from '../common/Toasts';
import { navigate, type StaffPlace } from '../routes';
import { ConnectionPill } from '../shell/Connection';
import { GuestSignInDialog } from '../shell/GuestSignInDialog';
import type { DialogName } from '../shell/Shell';
import { SignOutDialog } from '../shell/SignOutDialog';
import { Starting } from '../signin/Starting';
import { CustomerScreen } from './CustomerScreen';
import styles from './Staff.module.css';
import { StaffSidebar } from './StaffSidebar';

/** The staff's console: everybody who asked for help, and what is being said to them. */
export default function Staff({ place }: { place: StaffPlace }) {
  return (
    <DeskProvider>
      <Console place={place} />
    </DeskProvider>
  );
}

function Console({ place }: { place: StaffPlace }) {
  const me = useMe();
  const phase = useDeskState((state) => state.phase);
  const connection = useDeskConnection();
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const close = () => setDialog(null);
  useConsoleTitle(phase === 'forbidden' ? undefined : place);
  // Who is not of the staff is told so by the server; until then they are shown nothing of the console.
  if (phase === 'loading' && !me.is_staff) return <Starting problem={null} />;
  if (phase === 'forbidden') return <NotStaff name={me.username} />;
  return (
    <div className={styles['console']} data-pane={place.name === 'list' ? 'list' : 'main'}>
      <StaffSidebar place={place} onDialog={setDialog} />
      <main className={styles['main']}>
        <Screen place={place} />
      </main>
      <ConnectionPill {...connection} />
      <GuestSignInDialog isOpen={dialog === 'guestSignIn'} onClose={close} />
      <SignOutDialog isOpen={dialog === 'signOut'} onClose={close} />
      <Toasts />
    </div>
  );
}

function Screen({ place }: { place: StaffPlace }) {
  const strings = useStaffStrings();
  switch (place.name) {
    case 'room':
      return <CustomerScreen key={keyOf(place.roomId)} roomId={place.roomId} />;
    case 'list':
      return (
        <Notice icon={<Inbox size={26} />} title={strings.nothingTitle} text={strings.nothingText}>
          <p className={styles['keys']}>{strings.keys}</p>
        </Notice>
      );
    case 'unknown':
      return (
        <Notice icon={<Compass size={26} />} title={strings.missingTitle} text={strings.missingText}>
          <Button onPress={() => navigate('/staff')}>{strings.toList}</Button>
        </Notice>
      );
  }
}

const keyOf = (id: RoomId) => `${typeof id}:${id}`;

function NotStaff({ name }: { name: string }) {
  const strings = useStaffStrings();
  const { shell } = useStrings();
  const { logout } = useSessionActions();
  return (
    <main className={styles['alone']}>
      <Notice icon={<ShieldX size={26} />} title={strings.notStaffTitle} text={strings.notStaffText(name)}>
        <Button variant="primary" onPress={() => navigate('/', { replace: true })} autoFocus>
          {shell.toStart}
        </Button>
        <Button onPress={() => void logout()}>{strings.signInElse}</Button>
      </Notice>
    </main>
  );
}

/** Names the window after the customer, and says how much is unread. */
function useConsoleTitle(place: StaffPlace | undefined): void {
  const { title } = useStrings();
  const strings = useStaffStrings();
  const unread = useDeskUnread();
  const roomId = place?.name === 'room' ? place.roomId : null;
  const customer = useDeskState((state) => (roomId === null ? null : state.rooms.get(roomId)?.customer_name)) ?? null;
  const isHere = place !== undefined;
  useEffect(() => {
    document.title = isHere ? title(customer ?? strings.place, unread) : title(null, 0);
  }, [title, strings, isHere, customer, unread]);
}
