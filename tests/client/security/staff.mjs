// What staff do over HTTP.
import { ask, assertOk, assertRefused, bearer } from '../support/accounts.mjs';

/** An access token of staff. */
export const staff = (w, claims = {}) => w.token('agent', { is_staff: true, ...claims });

/** How an id is written in an address: the number 7 is `#7`. */
export const inPath = (id) => encodeURIComponent(typeof id === 'number' ? `#${id}` : id.replace(/^#/, '##'));

const user = (w, id, { as = staff(w), method = 'POST', act = '' } = {}) => (
  ask(w.server, `/api/admin/users/${inPath(id)}${act}`, { method, headers: as ? bearer(as) : {} })
);

export const look = (w, id, options) => user(w, id, { method: 'GET', ...options });
export const act = (w, what, id, options) => user(w, id, { act: `/${what}`, ...options });

/** The same where it has to succeed. Resolves to the user as staff see them. */
export const record = async (w, id, options) => assertOk(await look(w, id, options)).user;
export const revoke = async (w, id, options) => assertOk(await act(w, 'revoke', id, options)).user;
export const disable = async (w, id, options) => assertOk(await act(w, 'disable', id, options)).user;
export const enable = async (w, id, options) => assertOk(await act(w, 'enable', id, options)).user;

/** Every act of staff about one user, each refused in the same way. */
export async function refusedEverywhere(w, id, code, options) {
  assertRefused(await look(w, id, options), code, 'look');
  for (const what of ['revoke', 'disable', 'enable']) assertRefused(await act(w, what, id, options), code, what);
}
