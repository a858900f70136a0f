import { memo, type ReactNode, type RefObject, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer } from 'virtua';
import { Link } from 'wouter';
import { personPath } from '../../client/room-path';
import { useMe } from '../../hooks';
import type { Participant } from '../../protocol/generated/Participant';
import { useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import { LastSeen } from '../common/LastSeen';
import { Spinner } from '../common/Spinner';
import styles from './PeoplePanel.module.css';
import { groupsOf } from './people-groups';

/** The server lists no more participants of a room than these. */
export const MAX_LISTED = 2_000;
/** Longer lists hold only what is on screen. */
const MAX_WHOLE = 100;

interface PeoplePanelProps {
  participants: readonly Participant[] | null;
}

/** Who is in a room; whoever is online first. */
export const PeoplePanel = memo(function PeoplePanel({ participants }: PeoplePanelProps) {
  const strings = useStrings();
  const scroller = useRef<HTMLDivElement>(null);
  const groups = useMemo(() => participants && groupsOf(participants), [participants]);
  if (!groups) {
    return (
      <div className={styles['loading']}>
        <Spinner label={strings.common.loading} />
      </div>
    );
  }
  const { online, away } = groups;
  return (
    <div ref={scroller} className={styles['scroller']}>
      <Group title={strings.people.online(online.length)} people={online} scroller={scroller} />
      <Group title={strings.people.offline(away.length)} people={away} scroller={scroller} />
    </div>
  );
});

interface GroupProps {
  title: string;
  people: readonly Participant[];
  scroller: RefObject<HTMLElement | null>;
}

function Group({ title, people, scroller }: GroupProps) {
  const section = useRef<HTMLElement>(null);
  const isWhole = people.length <= MAX_WHOLE;
  const start = useStart(section, scroller, isWhole);
  if (people.length === 0) return null;
  return (
    <section ref={section} className={styles['group']}>
      <h3 className={styles['heading']}>{title}</h3>
      {isWhole ? (
        <ul>
          {people.map((person) => (
            <li key={keyOf(person)}>
              <Person person={person} />
            </li>
          ))}
        </ul>
      ) : (
        <Virtualizer data={people} as="ul" item="li" scrollRef={scroller} startMargin={start} bufferSize={400}>
          {(person) => <Person key={keyOf(person)} person={person} />}
        </Virtualizer>
      )}
    </section>
  );
}

/** How far down in the scrolled content the group's list begins. */
function useStart(section: RefObject<HTMLElement | null>, scroller: RefObject<HTMLElement | null>, isWhole: boolean) {
  const [start, setStart] = useState(0);
  useLayoutEffect(() => {
    const list = section.current?.lastElementChild;
    const content = scroller.current;
    if (isWhole || !list || !content) return;
    const measure = () => {
      const top = list.getBoundingClientRect().top - content.getBoundingClientRect().top;
      setStart(Math.round(top + content.scrollTop));
    };
    measure();
    const above = section.current?.previousElementSibling;
    if (!above) return;
    const observer = new ResizeObserver(measure);
    observer.observe(above);
    return () => observer.disconnect();
  }, [section, scroller, isWhole]);
  return start;
}

const keyOf = ({ id }: Participant): string => `${typeof id}:${id}`;

const Person = memo(function Person({ person }: { person: Participant }) {
  const strings = useStrings();
  const role = strings.people.roles[person.role];
  return (
    <PersonLink person={person}>
      <Avatar id={person.id} name={person.username} presence={person.online ? 'online' : 'offline'} />
      <PersonWords person={person} role={role} />
    </PersonLink>
  );
});

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
