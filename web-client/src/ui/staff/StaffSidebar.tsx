import { MessagesSquare } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { DeskState } from '../../client/support/desk-state';
import { useDeskState } from '../../hooks/desk';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import { useStaffStrings } from '../../strings/staff';
import { Hidden } from '../common/Hidden';
import { Logo } from '../common/Logo';
import type { StaffPlace } from '../routes';
import type { DialogName } from '../shell/Shell';
import { UserMenu } from '../shell/UserMenu';
import menu from '../shell/UserMenu.module.css';
import { CustomerList } from './CustomerList';
import { focusRow, useListKeys } from './list-keys';
import styles from './StaffSidebar.module.css';

const STATUSES: readonly SupportStatus[] = ['waiting', 'active', 'closed'];

interface StaffSidebarProps {
  place: StaffPlace;
  onDialog: (dialog: DialogName) => void;
}

export function StaffSidebar({ place, onDialog }: StaffSidebarProps) {
  const strings = useStaffStrings();
  const openId = place.name === 'room' ? place.roomId : null;
  const [tab, setTab] = useTab(openId);
  const keptId = useKept(openId, tab);
  const nav = useRef<HTMLElement>(null);
  useListKeys(nav);
  useReturn(openId);
  return (
    <nav ref={nav} className={styles['sidebar']} aria-label={strings.sidebar}>
      <header className={styles['header']}>
        <Logo size={28} />
        <h1 className={styles['title']}>{strings.place}</h1>
        <Link href="/" className={styles['back']} aria-label={strings.toChat} title={strings.toChat}>
          <MessagesSquare size={18} aria-hidden="true" />
        </Link>
      </header>
      <fieldset className={styles['tabs']}>
        <legend className={styles['legend']}>
          <Hidden>{strings.statuses}</Hidden>
        </legend>
        <div className={`${menu['segments']} ${styles['segments']}`}>
          {STATUSES.map((status) => (
            <label key={status} className={`${menu['segment']} ${styles['tab']}`}>
              <input
                type="radio"
                name="status"
                checked={tab === status}
                onChange={() => setTab(status)}
                className={menu['radio']}
              />
              {strings.tabs[status]}
              <Count status={status} />
            </label>
          ))}
        </div>
      </fieldset>
      <CustomerList key={tab} status={tab} openId={openId} keptId={keptId} isFromList={place.name === 'list'} />
      <UserMenu onDialog={onDialog} />
    </nav>
  );
}

/** How many there are; of the closed ones nobody needs to know. */
function Count({ status }: { status: SupportStatus }) {
  const strings = useStaffStrings();
  const text = useDeskState((state) => countOf(state, status, strings.count));
  if (text === null) return null;
  return <span className={styles['count']}>{text}</span>;
}

function countOf(state: DeskState, status: SupportStatus, words: (n: number, isAll: boolean) => string): string | null {
  if (status === 'closed' || state.phase !== 'ready') return null;
  let count = 0;
  for (const room of state.rooms.values()) if (room.status === status) count += 1;
  return words(count, !state.loaded[status].has_more);
}

/** Whoever comes by the address of a conversation finds it in the list. */
function useTab(openId: RoomId | null): [SupportStatus, (status: SupportStatus) => void] {
  const [tab, setTab] = useState<SupportStatus | null>(null);
  const status = useDeskState((state) => (openId === null ? undefined : state.rooms.get(openId)?.status));
  useEffect(() => {
    if (status !== undefined) setTab((chosen) => chosen ?? status);
  }, [status]);
  return [tab ?? status ?? 'waiting', setTab];
}

/** The conversation that is open stays where it was opened: answering it must not take it out of sight. */
function useKept(openId: RoomId | null, tab: SupportStatus): RoomId | null {
  const status = useDeskState((state) => (openId === null ? undefined : state.rooms.get(openId)?.status));
  const [kept, setKept] = useState<{ id: RoomId; tab: SupportStatus } | null>(null);
  useEffect(() => {
    if (openId === null) setKept(null);
    else if (status === tab) setKept({ id: openId, tab });
    else setKept((before) => (before?.id === openId && before.tab === tab ? before : null));
  }, [openId, status, tab]);
  return kept !== null && kept.id === openId && kept.tab === tab ? kept.id : null;
}

/** Coming back from a conversation, one stands where one left the list. */
function useReturn(openId: RoomId | null): void {
  const last = useRef(openId);
  useEffect(() => {
    const left = last.current;
    last.current = openId;
    if (openId === null && left !== null) focusRow(left);
  }, [openId]);
}
