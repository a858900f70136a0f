import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { personPath } from '../../client/room-path';
import { useMe } from '../../hooks';
import type { Participant } from '../../protocol/generated/Participant';
import { useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import { LastSeen } from '../common/LastSeen';
import { Spinner } from '../common/Spinner';
import styles from './PeoplePanel.module.css';

/** Who is in a room; whoever is online first. */
export function PeoplePanel({ participants }: { participants: readonly Participant[] | null }) {
  const strings = useStrings();
  if (!participants) {
    return (
      <div className={styles['loading']}>
        <Spinner label={strings.common.loading} />
      </div>
    );
  }
  const byName = [...participants].sort((a, b) => a.username.localeCompare(b.username));
  const online = byName.filter((participant) => participant.online);
  const away = byName.filter((participant) => !participant.online);
  return (
    <div className={styles['scroller']}>
      <Group title={strings.people.online(online.length)} people={online} />
      <Group title={strings.people.offline(away.length)} people={away} />
    </div>
  );
}

function Group({ title, people }: { title: string; people: readonly Participant[] }) {
  if (people.length === 0) return null;
  return (
    <section className={styles['group']}>
      <h3 className={styles['heading']}>{title}</h3>
      <ul>
        {people.map((person) => (
          <li key={`${typeof person.id}:${person.id}`}>
            <Person person={person} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Person({ person }: { person: Participant }) {
  const strings = useStrings();
  const role = strings.people.roles[person.role];
  return (
    <PersonLink person={person}>
      <Avatar id={person.id} name={person.username} presence={person.online ? 'online' : 'offline'} />
      <PersonWords person={person} role={role} />
    </PersonLink>
  );
}

function PersonWords({ person, role }: { person: Participant; role: string | null }) {
  const strings = useStrings();
  const me = useMe();
  return (
    <span className={styles['words']}>
      <span className={styles['top']}>
        <bdi className={styles['name']}>
          {person.id === me.id ? strings.people.self(person.username) : person.username}
        </bdi>
        {role && <span className={styles['role']}>{role}</span>}
      </span>
      <span className={styles['seen']}>
        <LastSeen presence={person} />
      </span>
    </span>
  );
}

/** Guests write to nobody by themselves, and nobody to oneself. */
function PersonLink({ person, children }: { person: Participant; children: ReactNode }) {
  const strings = useStrings();
  const me = useMe();
  if (me.is_guest || person.id === me.id) return <div className={styles['person']}>{children}</div>;
  return (
    <Link href={personPath(person.id)} className={styles['person']} title={strings.people.write(person.username)}>
      {children}
    </Link>
  );
}
