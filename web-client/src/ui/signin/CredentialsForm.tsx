import { Eye, EyeOff } from 'lucide-react';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useNow, useSessionActions } from '../../hooks';
import type { WaysIn } from '../../protocol/generated/WaysIn';
import { useStrings } from '../../strings';
import { Banner } from '../common/Banner';
import { Button, IconButton } from '../common/Button';
import { Field } from '../common/Field';
import styles from './CredentialsForm.module.css';
import { checkCredentials, hasProblems, type Mode, NO_PROBLEMS, problemsOf } from './credentials';

interface CredentialsFormProps {
  ways: Pick<WaysIn, 'registration'>;
  mode: Mode;
  onMode: (mode: Mode) => void;
}

/** Name and password: to sign in, or to make an account. */
export function CredentialsForm({ ways, mode, onMode }: CredentialsFormProps) {
  const strings = useStrings();
  const form = useCredentials(mode);
  const [isShown, setShown] = useState(false);
  const isRegister = mode === 'register';
  const text = strings.signIn;

  return (
    <form className={styles['form']} onSubmit={form.submit} noValidate aria-busy={form.isBusy}>
      <Field
        label={text.username}
        name="username"
        autoComplete="username"
        spellCheck="false"
        value={form.username}
        onChange={form.setUsername}
        error={form.problems.username}
        inputRef={form.usernameRef}
        isRequired
      />
      <Field
        label={text.password}
        name="password"
        type={isShown ? 'text' : 'password'}
        autoComplete={isRegister ? 'new-password' : 'current-password'}
        value={form.password}
        onChange={form.setPassword}
        error={form.problems.password}
        hint={isRegister ? text.passwordHint : undefined}
        inputRef={form.passwordRef}
        isRequired
        end={
          <IconButton
            label={isShown ? text.hidePassword : text.showPassword}
            onPress={() => setShown(!isShown)}
            preventFocusOnPress
          >
            {isShown ? <EyeOff size={18} aria-hidden="true" /> : <Eye size={18} aria-hidden="true" />}
          </IconButton>
        }
      />
      {form.problems.form && <Banner tone="danger">{form.problems.form}</Banner>}
      {form.limitedUntil !== null && <Limited until={form.limitedUntil} onOver={form.clearLimit} />}
      <Button type="submit" variant="primary" isPending={form.isBusy} isDisabled={form.limitedUntil !== null}>
        {form.isBusy ? text.submitting : isRegister ? text.submitRegister : text.submit}
      </Button>
      {ways.registration && (
        <p className={styles['switch']}>
          {isRegister ? text.toSignIn : text.toRegister}{' '}
          <button
            type="button"
            className={styles['link']}
            onClick={() => {
              form.clear();
              onMode(isRegister ? 'signIn' : 'register');
            }}
          >
            {isRegister ? text.toSignInAction : text.toRegisterAction}
          </button>
        </p>
      )}
    </form>
  );
}

function useCredentials(mode: Mode) {
  const strings = useStrings();
  const actions = useSessionActions();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [problems, setProblems] = useState(NO_PROBLEMS);
  const [isBusy, setBusy] = useState(false);
  const [limitedUntil, setLimitedUntil] = useState<number | null>(null);
  const usernameRef = useRef<HTMLInputElement>(null);
  const passwordRef = useRef<HTMLInputElement>(null);

  const show = (found: typeof problems) => {
    setProblems(found);
    if (found.username !== null) usernameRef.current?.focus();
    else if (found.password !== null) passwordRef.current?.focus();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy || limitedUntil !== null) return;
    const found = checkCredentials(strings, mode, username, password);
    show(found);
    if (hasProblems(found)) return;
    setBusy(true);
    const enter = mode === 'register' ? actions.register : actions.login;
    const error = await enter(username.trim(), password);
    setBusy(false);
    if (!error) return;
    if (error.code === 'rate_limited') setLimitedUntil(Date.now() + (error.retry_after_ms ?? 10_000));
    else show(problemsOf(strings, mode, error));
  };
  return {
    username,
    password,
    problems,
    isBusy,
    limitedUntil,
    usernameRef,
    passwordRef,
    submit,
    setUsername: (value: string) => {
      setUsername(value);
      setProblems({ ...problems, username: null, form: null });
    },
    setPassword: (value: string) => {
      setPassword(value);
      setProblems({ ...problems, password: null, form: null });
    },
    clear: () => setProblems(NO_PROBLEMS),
    clearLimit: useCallback(() => setLimitedUntil(null), []),
  };
}

function Limited({ until, onOver }: { until: number; onOver: () => void }) {
  const strings = useStrings();
  const seconds = Math.ceil((until - useNow()) / 1000);
  const isOver = seconds <= 0;
  useEffect(() => {
    if (isOver) onOver();
  }, [isOver, onOver]);
  return isOver ? null : <Banner tone="danger">{strings.signIn.limited(seconds)}</Banner>;
}
