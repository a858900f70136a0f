import type { ErrorBody } from '../protocol/generated/ErrorBody';

export type Result<T> = { ok: true; value: T } | { ok: false; error: ErrorBody };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const fail = (error: ErrorBody): { ok: false; error: ErrorBody } => ({ ok: false, error });

/** Failures that never reached a server, or whose answer never came back, beside the codes that servers give. */
export type LocalCode =
  | 'disconnected' // the connection was lost before the answer came, or there is none
  | 'timeout' // the connection stands, but no answer came
  | 'unreachable'; // no HTTP answer, or none that Confab gave

const MESSAGES: Record<LocalCode, string> = {
  disconnected: 'The connection was lost.',
  timeout: 'The server did not answer in time.',
  unreachable: 'The server cannot be reached.',
};

export function localError(code: LocalCode): ErrorBody {
  return { success: false, code, message: MESSAGES[code] };
}
