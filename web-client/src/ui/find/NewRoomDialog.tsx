import { type FormEvent, useState } from 'react';
import { roomPath } from '../../client/room-path';
import { useMe, useRoomActions } from '../../hooks';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { UserFound } from '../../protocol/generated/UserFound';
import { useStrings } from '../../strings';
import { AppDialog } from '../common/AppDialog';
import { Banner } from '../common/Banner';
import { Button } from '../common/Button';
import { Field } from '../common/Field';
import { useIsHere } from '../common/use-is-here';
import { focusComposerSoon } from '../room/focus';
import { navigate } from '../routes';
import styles from './NewRoomDialog.module.css';
import { PeoplePicker } from './PeoplePicker';

const MAX_NAME = 100;

export function NewRoomDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const strings = useStrings();
  return (
    <AppDialog title={strings.newRoom.title} isOpen={isOpen} onClose={onClose}>
      <NewRoomForm isOpen={isOpen} onClose={onClose} />
    </AppDialog>
  );
}

function NewRoomForm({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const strings = useStrings();
  const me = useMe();
  const form = useNewRoom(isOpen, onClose);
  const text = strings.newRoom;
  return (
    <form className={styles['form']} onSubmit={form.submit} noValidate>
      <div className={styles['fields']}>
        <Field
          label={text.name}
          name="room-name"
          autoComplete="off"
          autoFocus
          value={form.name}
          onChange={form.setName}
          error={form.nameError}
        />
        {me.is_guest ? (
          <p className={styles['hint']}>{text.guestHint}</p>
        ) : (
          <>
            <label className={styles['choice']}>
              <input
                type="checkbox"
                className={styles['checkbox']}
                checked={form.isPrivate}
                onChange={(event) => form.setPrivate(event.target.checked)}
              />
              <span>
                {text.privateLabel}
                <span className={styles['hint']}>{form.isPrivate ? text.privateHint : text.publicHint}</span>
              </span>
            </label>
            <PeoplePicker people={form.people} onPeople={form.setPeople} />
          </>
        )}
        {form.error && <Banner tone="danger">{strings.error(form.error)}</Banner>}
      </div>
      <footer className={styles['footer']}>
        <Button variant="quiet" onPress={onClose}>
          {strings.common.cancel}
        </Button>
        <Button type="submit" variant="primary" isPending={form.isBusy}>
          {text.create}
        </Button>
      </footer>
    </form>
  );
}

function useNewRoom(isOpen: boolean, onClose: () => void) {
  const strings = useStrings();
  const { createRoom } = useRoomActions();
  const [name, setName] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const [people, setPeople] = useState<readonly UserFound[]>([]);
  const [nameError, setNameError] = useState<string | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isHere = useIsHere(isOpen);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy) return;
    const trimmed = name.trim();
    if (trimmed === '') return setNameError(strings.newRoom.nameMissing);
    if ([...trimmed].length > MAX_NAME) return setNameError(strings.newRoom.nameLong);
    setBusy(true);
    setError(null);
    const participants = people.map((person) => person.id);
    const result = await createRoom({
      name: trimmed,
      private: isPrivate,
      ...(participants.length > 0 ? { participants } : {}),
    });
    setBusy(false);
    // Closed meanwhile: the room is in the list.
    if (!isHere()) return;
    if (!result.ok) return setError(result.error);
    onClose();
    navigate(roomPath(result.value.id));
    focusComposerSoon();
  };
  return {
    name,
    setName: (value: string) => {
      setName(value);
      setNameError(null);
    },
    nameError,
    isPrivate,
    setPrivate,
    people,
    setPeople,
    error,
    isBusy,
    submit,
  };
}
