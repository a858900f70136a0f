// Who we are and which room is open: what the browser remembers, and what the address says (#token=…&room=…).

const TOKEN = 'confab.token';
const GUEST = 'confab.guest';

/** Ids keep their JSON type: 7 and "7" are two different users. People write 7, "7" or team-42. */
export function idFromText(text) {
  const trimmed = text.trim();
  if (/^(0|-?[1-9]\d{0,14})$/.test(trimmed)) return Number(trimmed);
  return /^".+"$/.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}

export function idToText(id) {
  return idFromText(String(id)) === id ? String(id) : `"${id}"`;
}

const hashParams = () => new URLSearchParams(window.location.hash.slice(1));

export const roomHref = (roomId) => `#room=${encodeURIComponent(idToText(roomId))}`;

/** The room in the address, or null. */
export function readRoom() {
  const room = hashParams().get('room');
  return room ? idFromText(room) : null;
}

/**
 * The access token: from the address (and then taken out of it), else what this tab remembers, else what the browser
 * does. Per tab first, so that two people in two tabs stay two people after a reload.
 */
export function readToken() {
  const params = hashParams();
  const token = params.get('token');
  if (token) {
    saveToken(token);
    params.delete('token');
    window.history.replaceState(null, '', `#${params}`);
  }
  return sessionStorage.getItem(TOKEN) ?? localStorage.getItem(TOKEN);
}

export function saveToken(token) {
  for (const storage of [sessionStorage, localStorage]) {
    if (token) storage.setItem(TOKEN, token);
    else storage.removeItem(TOKEN);
  }
}

/** {guest_session, user_id, username}, as the server's `session` event told us, or null. */
export const readGuest = () => JSON.parse(localStorage.getItem(GUEST) ?? 'null');
export const saveGuest = (session) => localStorage.setItem(GUEST, JSON.stringify(session));

/** What the token says about its user. For showing only: the server is what checks it. */
export function userOf(token) {
  try {
    const base64 = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    const user_id = claims.user_id ?? claims.id ?? claims.sub ?? claims.identity;
    const username = claims.username ?? claims.name ?? claims.preferred_username ?? claims.email ?? String(user_id);
    return { user_id, username };
  } catch {
    return null;
  }
}

/** A client_id. Not crypto.randomUUID, which browsers offer to https and localhost only. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
