import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Customer, CustomerState } from '../../client/support/customer';
import type { Talk } from '../../client/support/customer-conversation';
import type { LinkState } from '../../client/support/customer-link';
import { useLate } from '../../ui/common/use-late';
import { TOUCH } from '../../ui/common/use-media';
import { strings } from '../strings';
import { AboutForm } from './AboutForm';
import { Composer } from './Composer';
import { CloseIcon } from './icons';
import { Dots, Log } from './Log';
import type { WidgetOptions } from './mount';
import { useReadable } from './use-readable';
import styles from './Widget.module.css';

const IS_FRAMED = window.parent !== window;

export function Widget({ customer, ...options }: WidgetOptions & { customer: Customer }) {
  const state = useReadable(customer.state);
  // Nothing of one customer is left for the next.
  return <Panel key={state.turn} customer={customer} state={state} {...options} />;
}

function Panel({ customer, state, label, close }: WidgetOptions & { customer: Customer; state: CustomerState }) {
  const { conversation, who, problem } = state;
  const talk = useReadable(conversation.state);
  const link = useReadable(conversation.link);
  const field = useRef<HTMLTextAreaElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const { messages, past, outgoing, is_loaded, status } = talk.conversation;
  const isEmpty = messages.length + past.length + outgoing.length === 0;
  const isLoading = isEmpty && !is_loaded && who !== 'nobody' && link.phase !== 'idle';

  useLayoutEffect(() => {
    const focus = () => {
      // On a phone it would bring up the keyboard before one has read anything.
      const target = window.matchMedia(TOUCH).matches ? heading : field;
      target.current?.focus({ preventScroll: true });
    };
    document.addEventListener('confab:focus', focus);
    return () => document.removeEventListener('confab:focus', focus);
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.isComposing) close();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [close]);

  const mayIntroduce =
    who !== 'user' && status !== 'closed' && !messages.some(({ sender_type }) => sender_type === 'staff');
  return (
    <main className={styles['panel']}>
      <header className={styles['header']}>
        <div className={styles['titles']}>
          <h1 ref={heading} tabIndex={-1} dir="auto">
            {label ?? strings.title}
          </h1>
          <p>{statusLine(talk)}</p>
        </div>
        {IS_FRAMED && (
          <button type="button" className={styles['close']} aria-label={strings.close} onClick={close}>
            <CloseIcon />
          </button>
        )}
      </header>
      <Notice link={link} problem={problem === null ? null : who === 'user' ? 'expired' : 'noGuests'} />
      <Log conversation={conversation} talk={talk} isLoading={isLoading} greeting={<Greeting />}>
        {status === 'closed' && outgoing.length === 0 && <p className={styles['closed']}>{strings.closedHint}</p>}
        {mayIntroduce && !isLoading && <AboutForm about={talk.about} onAbout={conversation.setAbout} />}
      </Log>
      <TypingLine talk={talk} />
      <Composer
        field={field}
        conversation={conversation}
        draft={talk.draft}
        retryAt={talk.conversation.retry_at}
        onBegin={customer.wake}
      />
    </main>
  );
}

function Greeting() {
  return (
    <div className={styles['greeting']}>
      <h2>{strings.empty.title}</h2>
      <p>{strings.empty.text}</p>
    </div>
  );
}

function statusLine({ conversation: { status, messages, room_id } }: Talk): string {
  if (room_id === null || status === null) return strings.status.none;
  if (status === 'closed') return strings.status.closed;
  const last = messages.findLast(({ sender_type }) => sender_type === 'staff');
  return last ? strings.status.active(last.sender_name ?? last.username) : strings.status.waiting;
}

function Notice({ link, problem }: { link: LinkState; problem: keyof typeof strings.problem | null }) {
  const phase = link.phase;
  const isLate = useLate(phase === 'connecting' || phase === 'reconnecting', 2000);
  const isTold = phase === 'offline' || ((phase === 'connecting' || phase === 'reconnecting') && isLate);
  const text = problem ? strings.problem[problem] : isTold ? strings.connection[phase] : null;
  return (
    <p
      className={`${styles['notice']} ${text ? '' : styles['none']}`}
      role="status"
      data-phase={phase}
      data-by={phase === 'live' ? link.by : undefined}
    >
      {text}
    </p>
  );
}

function TypingLine({ talk: { conversation } }: { talk: Talk }) {
  const { typing, messages } = conversation;
  const nameOf = new Map(messages.map(({ user_id, sender_name }) => [user_id, sender_name]));
  const known = typing.flatMap((user) => nameOf.get(user) ?? []);
  return (
    <p className={styles['typing']} role="status" aria-label={strings.typing.label}>
      {typing.length > 0 && (
        <>
          <Dots label={null} />
          {strings.typing.line(known.length === typing.length ? known : [])}
        </>
      )}
    </p>
  );
}
