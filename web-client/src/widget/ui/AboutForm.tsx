import { type FormEvent, useId, useState } from 'react';
import type { About } from '../../client/support/customer-kept';
import { strings } from '../strings';
import styles from './AboutForm.module.css';

interface AboutFormProps {
  about: About;
  onAbout: (about: About) => void;
}

/** The server takes no other: one `@` with something on both sides, no spaces. */
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** Who one is, for those who like to say it: a line that opens. */
export function AboutForm({ about, onAbout }: AboutFormProps) {
  const [isOpen, setOpen] = useState(false);
  const who = about.name || about.email;
  if (isOpen) {
    return (
      <Fields
        about={about}
        onDone={(next) => {
          setOpen(false);
          if (next) onAbout(next);
        }}
      />
    );
  }
  return (
    <p className={styles['line']}>
      {who && <span>{strings.about.saved(who)}</span>}
      <button type="button" onClick={() => setOpen(true)}>
        {who ? strings.about.change : strings.about.open}
      </button>
    </p>
  );
}

function Fields({ about, onDone }: { about: About; onDone: (about: About | null) => void }) {
  const id = useId();
  const [isWrong, setWrong] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [name, email] = ['name', 'email'].map((key) => String(data.get(key) ?? '').trim());
    if (email && !EMAIL.test(email)) return setWrong(true);
    onDone({ name: name ?? '', email: email ?? '' });
  };
  return (
    <form
      className={styles['form']}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // Else it would close all of it.
        event.stopPropagation();
        onDone(null);
      }}
      noValidate
    >
      <label htmlFor={`${id}n`}>{strings.about.name}</label>
      <input
        id={`${id}n`}
        name="name"
        autoComplete="name"
        maxLength={100}
        defaultValue={about.name}
        dir="auto"
        // biome-ignore lint/a11y/noAutofocus: one has just asked for it
        autoFocus
      />
      <label htmlFor={`${id}e`}>{strings.about.email}</label>
      <input
        id={`${id}e`}
        name="email"
        type="email"
        autoComplete="email"
        maxLength={254}
        defaultValue={about.email}
        aria-invalid={isWrong}
        aria-describedby={isWrong ? `${id}w` : undefined}
        onChange={() => setWrong(false)}
      />
      {isWrong && (
        <p id={`${id}w`} className={styles['wrong']} role="alert">
          {strings.about.emailWrong}
        </p>
      )}
      <div className={styles['buttons']}>
        <button type="submit" className={styles['primary']}>
          {strings.about.save}
        </button>
        <button type="button" onClick={() => onDone(null)}>
          {strings.about.cancel}
        </button>
      </div>
    </form>
  );
}
