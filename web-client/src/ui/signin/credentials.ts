import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Strings } from '../../strings';

export type Mode = 'signIn' | 'register';

export interface Problems {
  readonly username: string | null;
  readonly password: string | null;
  /** What belongs to no field. */
  readonly form: string | null;
}

export const NO_PROBLEMS: Problems = { username: null, password: null, form: null };

const MAX_NAME = 100;
const MIN_PASSWORD = 8;
const MAX_PASSWORD = 1_000;

/** What can be seen to be wrong before the server is asked. Signing in only asks for something to be there. */
export function checkCredentials(strings: Strings, mode: Mode, username: string, password: string): Problems {
  const { signIn } = strings;
  const nameLength = [...username.trim()].length;
  const passwordLength = [...password].length;
  let name: string | null = null;
  if (nameLength === 0) name = signIn.nameMissing;
  else if (mode === 'register' && nameLength > MAX_NAME) name = signIn.nameLong;
  let secret: string | null = null;
  if (passwordLength === 0) secret = signIn.passwordMissing;
  else if (mode === 'register' && passwordLength < MIN_PASSWORD) secret = signIn.passwordShort;
  else if (mode === 'register' && passwordLength > MAX_PASSWORD) secret = signIn.passwordLong;
  return { username: name, password: secret, form: null };
}

export const hasProblems = (problems: Problems): boolean =>
  problems.username !== null || problems.password !== null || problems.form !== null;

/** Puts the server's refusal where it belongs. */
export function problemsOf(strings: Strings, mode: Mode, error: ErrorBody): Problems {
  const { signIn } = strings;
  switch (error.code) {
    case 'username_taken':
      return { ...NO_PROBLEMS, username: signIn.nameTaken };
    case 'unauthorized':
      return { ...NO_PROBLEMS, form: signIn.wrong };
    case 'access_denied':
      return { ...NO_PROBLEMS, form: mode === 'register' ? signIn.registrationClosed : strings.error(error) };
    default:
      return { ...NO_PROBLEMS, form: strings.error(error) };
  }
}
