import { useState } from 'react';
import { type SessionState, useSessionActions } from '../../hooks';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { WaysIn } from '../../protocol/generated/WaysIn';
import { useStrings } from '../../strings';
import { Banner } from '../common/Banner';
import { Button } from '../common/Button';
import { Logo } from '../common/Logo';
import { Spinner } from '../common/Spinner';
import { useLate } from '../common/use-late';
import { CredentialsForm } from './CredentialsForm';
import type { Mode } from './credentials';
import styles from './SignIn.module.css';

type SignedOut = Extract<SessionState, { phase: 'signed_out' }>;

export function SignIn({ ways, reason, problem }: SignedOut) {
  const strings = useStrings();
  const [mode, setMode] = useState<Mode>('signIn');
  const text = strings.signIn;
  const reasonText = reason && text.reasons[reason];
  const title =
    !ways?.accounts && ways?.guests ? text.titleGuestOnly : mode === 'register' ? text.titleRegister : text.title;

  return (
    <main className={styles['page']}>
      <div className={styles['card']}>
        <header className={styles['header']}>
          <Logo size={48} />
          <h1 className={styles['title']}>{title}</h1>
          <p className={styles['tagline']}>{text.tagline}</p>
        </header>
        {reasonText && <Banner tone="info">{reasonText}</Banner>}
        {problem && ways && <Banner tone="danger">{strings.error(problem)}</Banner>}
        {ways && <WaysForms ways={ways} mode={mode} onMode={setMode} />}
        {!ways && (problem ? <Unreachable /> : <Asking />)}
      </div>
    </main>
  );
}

function WaysForms({ ways, mode, onMode }: { ways: WaysIn; mode: Mode; onMode: (mode: Mode) => void }) {
  const strings = useStrings();
  if (!ways.accounts && !ways.guests) return <Banner tone="info">{strings.signIn.noWay}</Banner>;
  return (
    <>
      {ways.accounts && <CredentialsForm ways={ways} mode={mode} onMode={onMode} />}
      {ways.accounts && ways.guests && <p className={styles['or']}>{strings.signIn.or}</p>}
      {ways.guests && <GuestButton isOnly={!ways.accounts} />}
    </>
  );
}

function GuestButton({ isOnly }: { isOnly: boolean }) {
  const strings = useStrings();
  const { continueAsGuest } = useSessionActions();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ErrorBody | null>(null);
  const enter = async () => {
    setBusy(true);
    setError(await continueAsGuest());
    setBusy(false);
  };
  return (
    <>
      <Button variant={isOnly ? 'primary' : 'secondary'} isPending={isBusy} onPress={enter}>
        {strings.signIn.guest}
      </Button>
      {error && <Banner tone="danger">{strings.error(error)}</Banner>}
    </>
  );
}

/** The ways in are on their way. */
function Asking() {
  const strings = useStrings();
  const isLate = useLate(true);
  return <p className={styles['unreachable']}>{isLate && <Spinner label={strings.common.loading} />}</p>;
}

function Unreachable() {
  const strings = useStrings();
  return (
    <p className={styles['unreachable']} role="status">
      <Spinner label={strings.common.loading} />
      {strings.signIn.unreachable}
    </p>
  );
}
