import { MessagesSquare } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components/Tabs';
import { Link } from 'wouter';
import { type DeskState, roomsOf } from '../../client/support/desk-state';
import { useDeskState } from '../../hooks/desk';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import { useStaffStrings } from '../../strings/staff';
import { Logo } from '../common/Logo';
import type { StaffPlace } from '../routes';
import type { DialogName } from '../shell/Shell';
import { UserMenu } from '../shell/UserMenu';
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
      <Tabs className={styles['tabs'] ?? ''} selectedKey={tab} onSelectionChange={(key) => setTab(statusOf(key))}>
        <TabList aria-label={strings.statuses} className={styles['tabList'] ?? ''}>
          {STATUSES.map((status) => (
            <Tab key={status} id={status} className={styles['tab'] ?? ''}>
              {strings.tabs[status]}
              <Count status={status} />
            </Tab>
          ))}
        </TabList>
        {STATUSES.map((status) => (
          <TabPanel key={status} id={status} className={styles['panel'] ?? ''}>
            <CustomerList status={status} openId={openId} isFromList={place.name === 'list'} />
          </TabPanel>
        ))}
      </Tabs>
      <UserMenu onDialog={onDialog} />
    </nav>
  );
}

const statusOf = (key: unknown): SupportStatus => STATUSES.find((status) => status === key) ?? 'waiting';

/** How many there are; of the closed ones nobody needs to know. */
function Count({ status }: { status: SupportStatus }) {
  const strings = useStaffStrings();
  const text = useDeskState((state) => countOf(state, status, strings.count));
  if (text === null) return null;
  return <span className={styles['count']}>{text}</span>;
}

function countOf(state: DeskState, status: SupportStatus, words: (n: number, isAll: boolean) => string): string | null {
  if (status === 'closed' || state.phase !== 'ready') return null;
  return words(roomsOf(state, status).length, !state.loaded[status].has_more);
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

/** Coming back from a conversation, one stands where one left the list. */
function useReturn(openId: RoomId | null): void {
  const last = useRef(openId);
  useEffect(() => {
    const left = last.current;
    last.current = openId;
    if (openId === null && left !== null) focusRow(left);
  }, [openId]);
}
