// Who is signed in: the one identity of this browser profile, what proves it, and its chat.
//
// All changes go through `turn`: whoever waits for an answer and finds another turn has been overtaken, and stops.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { SignedIn } from '../protocol/generated/SignedIn';
import type { User } from '../protocol/generated/User';
import type { WaysIn } from '../protocol/generated/WaysIn';
import { type Api, isPassing } from './api';
import type { Chat } from './chat';
import { forgetDrafts } from './drafts';
import type { Environment, SocketAuth } from './environment';
import { createPatience } from './patience';
import { isSamePerson, type Marker, NOBODY, type Profile } from './profile';
import type { Readable } from './readable';
import { fail, localError, ok, type Result } from './result';

/** By me here | by another tab or the server | a handed-over token ran out | another identity took over. */
export type SignOutReason = 'signed_out' | 'signed_out_elsewhere' | 'expired' | 'switched';

export type IdentityKind = 'account' | 'guest' | 'token';

export type SessionState =
  | { readonly phase: 'starting' }
  | {
      readonly phase: 'signed_out';
      /** null: the server could not be reached so far; it is tried again and again. */
      readonly ways: WaysIn | null;
      readonly reason: SignOutReason | null;
      readonly problem: ErrorBody | null;
    }
  | { readonly phase: 'signed_in'; readonly user: User; readonly kind: IdentityKind };

/** A person, and what proves it: an access token with its end, a guest session, a token that was handed over. */
export type Identity = Account | Holder;

interface Account {
  readonly kind: 'account';
  readonly user: User;
  readonly token: string;
  readonly expires_at: number;
}

interface Holder {
  readonly kind: 'guest' | 'token';
  readonly user: User;
  readonly secret: string;
}

export interface ClientState {
  readonly session: SessionState;
  /** Exactly while signed in. */
  readonly chat: Chat | null;
  /** Counts the identities that have ended: what shows one of them is not to be shown with another number. */
  readonly ended: number;
}

export interface IdentityOptions {
  readonly env: Environment;
  readonly api: Api;
  readonly profile: Profile;
  /** A new guest of the server. */
  readonly newGuest: () => Promise<Result<Identity>>;
  readonly openChat: (user: User, own: ChatIdentity) => Chat;
}

/** What a chat asks of the identity that it belongs to. */
export interface ChatIdentity {
  auth(): Promise<Result<SocketAuth>>;
  unauthorized(error: ErrorBody, again: boolean): Promise<boolean>;
  told(error: ErrorBody): void;
  /** The server made us another guest than we said to be: it does not know that one any more. */
  becameGuest(identity: Identity): void;
}

export interface IdentityControl {
  readonly state: Readable<ClientState>;
  login(username: string, password: string): Promise<ErrorBody | null>;
  register(username: string, password: string): Promise<ErrorBody | null>;
  continueAsGuest(): Promise<ErrorBody | null>;
  logout(): Promise<void>;
  dispose(): void;
}

/** How long before its end an access token is renewed. */
const EARLY_MS = 60_000;
/** Clocks differ: it is never renewed more often than this. */
const SHORTEST_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createIdentity({ env, api, profile, newGuest, openChat }: IdentityOptions): IdentityControl {
  const state = createStore<ClientState>(() => ({ session: { phase: 'starting' }, chat: null, ended: 0 }));
  let identity: Identity | null = null;
  let aim: Marker = NOBODY; // whom this tab is, or is becoming
  let turn = 0;
  let ways: WaysIn | null = null;
  let renewal: ReturnType<typeof setTimeout> | undefined;
  let refreshing: Promise<Result<Account>> | null = null;
  let isDisposed = false;
  const patience = createPatience(env.random);

  // Beginning and ending

  /** Ends whoever is here; nothing of them is left in memory. */
  function close() {
    turn += 1;
    clearTimeout(renewal);
    refreshing = null;
    const { chat, ended } = state.getState();
    chat?.dispose();
    identity = null;
    if (chat) state.setState({ session: { phase: 'starting' }, chat: null, ended: ended + 1 });
  }

  function begin(next: Identity, marker: Marker) {
    close();
    const mine = turn;
    aim = marker;
    identity = next;
    forgetDrafts(env.local, marker);
    const chat = openChat(next.user, {
      auth: () => authFor(mine),
      unauthorized: (error, again) => (mine === turn ? unauthorized(error, again) : Promise.resolve(false)),
      told: (error) => mine === turn && told(error),
      becameGuest: (guest) => mine === turn && !isSamePerson(markerOf(guest), aim) && take(guest),
    });
    state.setState({ session: { phase: 'signed_in', user: next.user, kind: next.kind }, chat });
    scheduleRenewal();
  }

  /** Signs in here, and so in all tabs. */
  function take(next: Identity) {
    const before = profile.marker();
    begin(next, profile.move(next));
    // An account that was replaced by something else leaves a session behind.
    if (before.kind === 'account' && next.kind !== 'account') void endServerSession();
  }

  async function showSignedOut(reason: SignOutReason | null, problem: ErrorBody | null) {
    close();
    const mine = turn;
    const show = (error: ErrorBody | null) =>
      state.setState({ session: { phase: 'signed_out', ways, reason, problem: error ?? problem } });
    show(null);
    const result = await patience.insist(
      () => mine === turn,
      api.ways,
      (error) => show(ways ? null : error),
    );
    if (result?.ok) ways = result.value;
    if (result) show(result.ok ? null : result.error);
  }

  /** The identity has ended, for all tabs. */
  function end(reason: SignOutReason, problem: ErrorBody | null = null) {
    const wasAccount = profile.marker().kind === 'account';
    aim = profile.move(null, reason === 'expired');
    forgetDrafts(env.local, aim);
    void showSignedOut(reason, problem);
    if (wasAccount && reason !== 'signed_out_elsewhere') void endServerSession();
  }

  /** Tells the server of a log-out, whenever it can be reached. */
  async function endServerSession() {
    profile.oweLogout(true);
    for (let failures = 1; profile.owesLogout() && !isDisposed; failures += 1) {
      await env.exclusively(async () => {
        // Somebody may have signed in meanwhile: the cookie is theirs.
        if (!profile.owesLogout()) return;
        const result = await api.logout();
        if (result.ok || !isPassing(result.error)) profile.oweLogout(false);
      });
      if (profile.owesLogout()) await patience.pause(failures);
    }
  }

  // Becoming the one whom the marker names

  async function resume(marker: Marker, reason: SignOutReason | null) {
    close();
    const mine = turn;
    aim = marker;
    if (marker.kind === 'none') return showSignedOut(reason, null);
    state.setState({ session: { phase: 'starting' } });
    const found = await patience.insist(
      () => mine === turn,
      () => prove(marker),
    );
    if (!found) return;
    if (found.ok) {
      // The cookie may be somebody else's by now.
      return isSamePerson(markerOf(found.value), marker) ? begin(found.value, marker) : take(found.value);
    }
    if (marker.kind !== 'token') end('signed_out_elsewhere');
    // Without the token, which is in a tab that sleeps or was closed, it is nobody's end.
    else if (profile.secret(marker)) end('expired', found.error);
    else showSignedOut(reason, null);
  }

  async function prove(marker: Marker): Promise<Result<Identity>> {
    if (marker.kind === 'account') return refreshSession();
    if (marker.kind === 'none') return fail(localError('disconnected'));
    const secret = profile.secret(marker) ?? (marker.kind === 'token' ? await profile.askTabs(marker) : null);
    if (secret === null) return fail({ success: false, code: 'unauthorized', message: 'Nobody is signed in here.' });
    profile.keepSecret(marker, secret);
    return proveSecret(marker.kind, secret);
  }

  async function proveSecret(kind: 'guest' | 'token', secret: string): Promise<Result<Identity>> {
    const result = await api.me(kind === 'guest' ? { guest_session: secret } : { token: secret });
    return result.ok ? ok({ kind, user: result.value.user, secret }) : result;
  }

  /** A token from the address takes the place of whoever was here. */
  async function takeHanded(token: string) {
    close();
    const mine = turn;
    aim = profile.marker();
    state.setState({ session: { phase: 'starting' } });
    const found = await patience.insist(
      () => mine === turn,
      () => proveSecret('token', token),
    );
    if (found?.ok) take(found.value);
    // Anybody can make a link with a bad token: it shows nothing here, and ends nobody's session.
    else if (found) void showSignedOut('expired', found.error);
  }

  /** Another tab has signed in, out or over, or did while this one slept. */
  function follow(marker: Marker, secret: string | null, expired = false) {
    if (marker.at <= aim.at) return;
    const isSignedIn = state.getState().chat !== null;
    if (isSamePerson(marker, aim) && (isSignedIn || secret === null)) {
      aim = marker;
      if (identity && identity.kind !== 'account' && secret) identity = { ...identity, secret };
      profile.keepSecret(marker, secret);
      return;
    }
    profile.keepSecret(marker, secret);
    forgetDrafts(env.local, marker);
    if (marker.kind !== 'none') void resume(marker, 'switched');
    else void resume(marker, expired ? 'expired' : 'signed_out_elsewhere');
  }

  // The access token of an account

  /** Renews it by the cookie, one tab after the other. */
  function refreshSession(): Promise<Result<Account>> {
    if (refreshing) return refreshing;
    const mine = env
      .exclusively(() => api.refresh())
      .then((result) => {
        if (refreshing === mine) refreshing = null;
        return result.ok ? ok(accountOf(result.value)) : result;
      });
    refreshing = mine;
    return mine;
  }

  async function renew(): Promise<Result<Account>> {
    const mine = turn;
    const result = await refreshSession();
    if (mine !== turn) return fail(localError('disconnected'));
    if (!result.ok) {
      if (isPassing(result.error)) scheduleRenewal();
      else end('signed_out_elsewhere');
      return result;
    }
    if (!isSamePerson(markerOf(result.value), aim)) {
      // Somebody else has signed in, and this tab has not heard of it.
      take(result.value);
      return fail(localError('disconnected'));
    }
    identity = result.value;
    state.getState().chat?.authenticate(result.value.token);
    scheduleRenewal();
    return result;
  }

  function scheduleRenewal() {
    clearTimeout(renewal);
    if (identity?.kind !== 'account') return;
    const wait = Math.max(SHORTEST_MS, identity.expires_at - Date.now() - EARLY_MS);
    renewal = setTimeout(renew, Math.min(wait, LONGEST_TIMER_MS));
  }

  async function authFor(mine: number): Promise<Result<SocketAuth>> {
    if (mine !== turn || !identity) return fail(localError('disconnected'));
    if (identity.kind !== 'account') {
      return ok(identity.kind === 'guest' ? { guest_session: identity.secret } : { token: identity.secret });
    }
    if (identity.expires_at > Date.now()) return ok({ token: identity.token });
    const result = await renew();
    return result.ok ? ok({ token: result.value.token }) : result;
  }

  /** A connection was refused: an account is worth one refresh, the others have nothing else to show. */
  async function unauthorized(error: ErrorBody, again: boolean): Promise<boolean> {
    if (identity?.kind === 'account' && !again) {
      identity = { ...identity, expires_at: 0 };
      return (await renew()).ok;
    }
    if (identity?.kind === 'token') end('expired', error);
    else end('signed_out_elsewhere');
    return false;
  }

  function told(error: ErrorBody) {
    if (error.code === 'signed_out') return end('signed_out_elsewhere');
    if (error.code !== 'token_expired') return;
    if (identity?.kind === 'token') end('expired');
    // The next connection, at once, begins with a fresh one.
    else if (identity?.kind === 'account') identity = { ...identity, expires_at: 0 };
  }

  // What people do

  async function signIn(ask: () => Promise<Result<SignedIn>>): Promise<ErrorBody | null> {
    // Together with the marker, so that marker and cookie name the same user whichever tab comes last.
    return env.exclusively(async () => {
      if (profile.owesLogout()) await api.logout();
      const result = await ask();
      if (!result.ok) return result.error;
      profile.oweLogout(false);
      take(accountOf(result.value));
      return null;
    });
  }

  function start() {
    profile.onMoved(follow);
    if (profile.owesLogout()) void endServerSession();
    let isHanded = false;
    const stopWatching = env.watchHandedToken((token) => {
      isHanded = true;
      void takeHanded(token);
    });
    if (!isHanded) void resume(profile.marker(), null);
    const stopSignals = env.signals.subscribe((signal) => {
      if (signal === 'offline') return;
      if (signal === 'visible') follow(missed(), null);
      patience.wake();
      if (identity?.kind === 'account' && identity.expires_at - Date.now() < EARLY_MS) void renew();
    });
    return () => {
      stopWatching();
      stopSignals();
    };
  }

  /** The marker as it is now; if somebody has deleted it, that was a log-out. */
  function missed(): Marker {
    const marker = profile.marker();
    return marker.at === 0 && aim.kind !== 'none' ? { ...NOBODY, at: aim.at + 1 } : marker;
  }

  const stop = start();

  return {
    state,
    login: (username, password) => signIn(() => api.login(username, password)),
    register: (username, password) => signIn(() => api.register(username, password)),
    continueAsGuest: async () => {
      const mine = turn;
      const result = await newGuest();
      if (!result.ok) return result.error;
      if (mine === turn) take(result.value);
      return null;
    },
    logout: async () => end('signed_out'),
    dispose: () => {
      isDisposed = true;
      stop();
      close();
      profile.dispose();
    },
  };
}

const markerOf = ({ kind, user }: Identity): Marker => ({ kind, tenant: user.tenant, user_id: user.id, at: 0 });

const accountOf = ({ user, access_token, expires_at }: SignedIn): Account => ({
  kind: 'account',
  user,
  token: access_token,
  expires_at: Date.parse(expires_at),
});
