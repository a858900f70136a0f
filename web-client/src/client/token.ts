// What can be read off a JWT without its key: nothing to trust, but good to know.

/** How long an access token lives, in ms; null if it does not say. */
export function lifetimeOf(token: string): number | null {
  const { iat, exp } = claimsOf(token);
  return typeof iat === 'number' && typeof exp === 'number' ? (exp - iat) * 1000 : null;
}

/** Whether it belongs to the session of an account: those come by signing in, and never in an address. */
export const isOfSession = (token: string): boolean => claimsOf(token).confab_session !== undefined;

interface Claims {
  readonly iat?: unknown;
  readonly exp?: unknown;
  readonly confab_session?: unknown;
}

function claimsOf(token: string): Claims {
  const payload = token.split('.')[1] ?? '';
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
