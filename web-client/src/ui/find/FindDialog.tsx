import { UserRoundPlus } from 'lucide-react';
import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { useConversations, useMe, useRoomActions } from '../../hooks';
import type { Conversation } from '../../protocol/generated/Conversation';
import type { RoomFound } from '../../protocol/generated/RoomFound';
import type { RoomKind } from '../../protocol/generated/RoomKind';
import { useStrings } from '../../strings';
import { AppDialog } from '../common/AppDialog';
import { Banner } from '../common/Banner';
import { Button } from '../common/Button';
import { isComposing } from '../common/keys';
import { Notice } from '../common/Notice';
import { Spinner } from '../common/Spinner';
import { focusComposerSoon } from '../room/focus';
import styles from './FindDialog.module.css';
import { PersonResult, RoomResult, type RoomSummary } from './Results';
import { SearchField } from './SearchField';
import { useEnter, useSearch } from './use-search';

interface FindDialogProps {
  isOpen: boolean;
  onClose: () => void;
  onSignIn: () => void;
}

/** Rooms to enter and people to write to. */
export function FindDialog({ isOpen, onClose, onSignIn }: FindDialogProps) {
  const strings = useStrings();
  const me = useMe();
  return (
    <AppDialog title={strings.find.title} isOpen={isOpen} onClose={onClose}>
      {me.is_guest ? <ForGuests onSignIn={onSignIn} /> : <Finder onClose={onClose} />}
    </AppDialog>
  );
}

function ForGuests({ onSignIn }: { onSignIn: () => void }) {
  const strings = useStrings();
  return (
    <Notice compact icon={<UserRoundPlus size={22} />} title={strings.find.guestTitle} text={strings.find.guestText}>
      <Button variant="primary" onPress={onSignIn}>
        {strings.userMenu.guestSignIn}
      </Button>
    </Notice>
  );
}

function Finder({ onClose }: { onClose: () => void }) {
  const strings = useStrings();
  const me = useMe();
  const [query, setQuery] = useState('');
  const { searchRooms, searchUsers } = useRoomActions();
  const { conversations } = useConversations();
  const open = () => {
    onClose();
    focusComposerSoon();
  };
  const wanted = query.trim();
  const rooms = useSearch(searchRooms, wanted, true);
  const people = useSearch(searchUsers, wanted, true);
  const results = useRef<HTMLDivElement>(null);
  const openFirst = useEnter(wanted, rooms.isCurrent && people.isCurrent, () =>
    results.current?.querySelector('a')?.click(),
  );
  const error = rooms.error ?? people.error;

  const shownRooms = useMemo(
    () => mergeRooms(conversations, rooms.found ?? [], wanted),
    [conversations, rooms.found, wanted],
  );
  const shownPeople = (people.found ?? []).filter((person) => person.id !== me.id);
  const isLoading = rooms.found === null && people.found === null && !error;
  const isEmpty = !isLoading && shownRooms.length === 0 && shownPeople.length === 0;

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys go to the fields and links in it
    <div className={styles['finder']} onKeyDown={moveAmongResults}>
      <div className={styles['top']}>
        <SearchField label={strings.find.placeholder} value={query} onChange={setQuery} onEnter={openFirst} />
      </div>
      <div ref={results} className={styles['results']} aria-busy={isLoading}>
        {error && <Banner tone="danger">{strings.error(error)}</Banner>}
        {isLoading && <Spinner label={strings.common.loading} />}
        {isEmpty && !error && (
          <p className={styles['empty']}>{wanted === '' ? strings.find.nothing : strings.find.nobody}</p>
        )}
        {shownRooms.length > 0 && (
          <section>
            <h3 className={styles['heading']}>{strings.find.rooms}</h3>
            <ul>
              {shownRooms.map((room) => (
                <RoomResult key={`${typeof room.id}:${room.id}`} room={room} onOpen={open} />
              ))}
            </ul>
          </section>
        )}
        {shownPeople.length > 0 && (
          <section>
            <h3 className={styles['heading']}>{strings.find.people}</h3>
            <ul>
              {shownPeople.map((person) => (
                <PersonResult key={`${typeof person.id}:${person.id}`} person={person} onOpen={open} />
              ))}
            </ul>
          </section>
        )}
      </div>
      <p className={styles['hint']}>{strings.find.hint}</p>
    </div>
  );
}

/** The server finds public rooms; one's own private ones are known here. */
function mergeRooms(
  conversations: readonly Conversation[],
  found: readonly RoomFound[],
  query: string,
): readonly RoomSummary[] {
  const needle = query.toLocaleLowerCase();
  const isHidden = (kind: RoomKind) => kind === 'private' || kind === 'support';
  const own = conversations
    .filter(({ kind, name }) => isHidden(kind) && name.toLocaleLowerCase().includes(needle))
    .map(({ room_id, name, kind, participants }) => ({
      id: room_id,
      name,
      kind,
      // The list of conversations has the first 50 only.
      count: participants.length < 50 ? participants.length : null,
      isJoined: true,
    }));
  const others = found.map(({ room, participant_count, is_participant }) => ({
    id: room.id,
    name: room.name,
    kind: room.kind,
    count: participant_count,
    isJoined: is_participant,
  }));
  return [...others, ...own];
}

/** Down from the field to the results and up again. */
function moveAmongResults(event: KeyboardEvent<HTMLElement>): void {
  if ((event.key !== 'ArrowDown' && event.key !== 'ArrowUp') || isComposing(event)) return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('input, a')];
  const at = stops.findIndex((stop) => stop === document.activeElement);
  event.preventDefault();
  stops[at + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
}
