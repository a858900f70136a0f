import { X } from 'lucide-react';
import { useState } from 'react';
import { useMe, useRoomActions } from '../../hooks';
import type { UserFound } from '../../protocol/generated/UserFound';
import { useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import styles from './PeoplePicker.module.css';
import { SearchField } from './SearchField';
import { useEnter, useSearch } from './use-search';

interface PeoplePickerProps {
  people: readonly UserFound[];
  onPeople: (people: readonly UserFound[]) => void;
}

const MAX_SHOWN = 5;

/** People to add, found by name. */
export function PeoplePicker({ people, onPeople }: PeoplePickerProps) {
  const strings = useStrings();
  const me = useMe();
  const { searchUsers } = useRoomActions();
  const [query, setQuery] = useState('');
  const wanted = query.trim();
  const { found, isCurrent } = useSearch(searchUsers, wanted, wanted !== '');
  const isPicked = (person: UserFound) => people.some((other) => other.id === person.id);
  const offered = wanted === '' ? [] : (found ?? []).filter((person) => person.id !== me.id && !isPicked(person));
  const add = (person: UserFound) => {
    onPeople([...people, person]);
    setQuery('');
  };
  const addFirst = useEnter(wanted, isCurrent, () => {
    if (offered[0]) add(offered[0]);
  });

  return (
    <fieldset className={styles['picker']}>
      <legend className={styles['legend']}>{strings.newRoom.people}</legend>
      {people.length > 0 && (
        <ul className={styles['chips']}>
          {people.map((person) => (
            <li key={`${typeof person.id}:${person.id}`}>
              <button
                type="button"
                className={styles['chip']}
                aria-label={strings.newRoom.remove(person.username)}
                onClick={() => onPeople(people.filter((other) => other.id !== person.id))}
              >
                <Avatar id={person.id} name={person.username} size="small" />
                <bdi>{person.username}</bdi>
                <X size={14} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <SearchField
        label={strings.newRoom.addPeople}
        value={query}
        onChange={setQuery}
        onEnter={addFirst}
        autoFocus={false}
      />
      <ul className={styles['offers']} aria-live="polite">
        {offered.slice(0, MAX_SHOWN).map((person) => (
          <li key={`${typeof person.id}:${person.id}`}>
            <button
              type="button"
              className={styles['offer']}
              aria-label={strings.newRoom.add(person.username)}
              onClick={() => add(person)}
            >
              <Avatar id={person.id} name={person.username} size="small" />
              <bdi>{person.username}</bdi>
            </button>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
