// Who is signed in: the one identity of this browser profile, what proves it, and its chat.
//
// All changes go through `turn`: whoever waits for an answer and finds another turn has been overtaken, and stops.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { SignedIn } from '../protocol/generated/SignedIn';
import type { WaysIn } from '../protocol/generated/WaysIn';
import { isPassing } from './api';
import { forgetDrafts } from './drafts';
import type { SocketAuth } from './environment';
import { createHandover, isSameUser } from './handover';
import { createLogout } from './logout';
import { createPatience } from './patience';
import { isSamePerson, type Marker, NOBODY } from './profile';
import { createRefresh } from './refresh';
import { fail, localError, ok, type Result } from './result';
import {
  type Account,
  accountOf,
  type ClientState,
  type Holder,
  type Identity,
  type IdentityControl,
  type IdentityOptions,
  type SessionState,
  type SignOutReason,
} from './session';
import { forgetUnsent } from './unsent';

/** How long before its end an access token is renewed. */
const EARLY_MS = 60_000;
/** It is never renewed more often than this. */
const SHORTEST_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const STARTING: SessionState = { phase: 'starting', problem: null };

export function createIdentity({ env, api, profile, newGuest, openChat }: IdentityOptions): IdentityControl {
  const state = createStore<ClientState>(() => ({ session: STARTING, chat: null, ended: 0, handoverProblem: null }));
  let identity: Identity | null = null;
  let aim: Marker = NOBODY; // whom this tab is, or is becoming
  let turn = 0;
  let ways: WaysIn | null = null;
  let renewal: ReturnType<typeof setTimeout> | undefined;
  let shown: string | null = null; // the secret that the connection was made with, or extended
  const patience = createPatience(env.random);
  const refresh = createRefresh(env, api);
  const serverLogout = createLogout({ env, api, profile, patience });
  const handover = createHandover({
    patience,
    prove: (token) => proveSecret('token', token),
    here,
    accept: takeHanded,
    ask: (current, next) => state.setState({ session: { phase: 'handed_over', current, next } }),
    refused: (error) => {
      // Anybody can make a link with a bad token: it ends nobody's session.
      if (here() !== null) state.setState({ handoverProblem: error });
      else void showSignedOut('expired', error);
    },
    failed: stillStarting,
  });

  // Beginning and ending

  function here() {
    if (identity) return identity.user;
    return state.getState().session.phase === 'starting' && aim.kind !== 'none' ? 'unknown' : null;
  }

  /** Ends whoever is here; nothing of them is left in memory. */
  function close() {
    turn += 1;
    clearTimeout(renewal);
    refresh.forget();
    const { chat, ended, session } = state.getState();
    // Whoever was asked is gone: nobody else is to be what they did not agree to.
    if (session.phase === 'handed_over') handover.drop();
    chat?.dispose();
    identity = null;
    shown = null;
    if (chat) state.setState({ session: STARTING, chat: null, ended: ended + 1, handoverProblem: null });
  }

  function begin(next: Identity, marker: Marker) {
    close();
    const mine = turn;
    aim = marker;
    identity = next;
    forgetOthers(marker);
    const chat = openChat(next.user, {
      auth: () => authFor(mine),
      unauthorized: (error, again) => (mine === turn ? unauthorized(error, again) : Promise.resolve(false)),
      told: (error) => mine === turn && told(error),
      becameGuest: (guest) => mine === turn && !isSamePerson(markerOf(guest), aim) && !isStale() && take(guest),
    });
    state.setState({ session: { phase: 'signed_in', user: next.user, kind: next.kind }, chat });
    scheduleRenewal();
    handover.settle();
  }

  /** Signs in here, and so in all tabs. */
  function take(next: Identity) {
    const before = profile.marker();
    begin(next, profile.move(next));
    // An account that was replaced by something else leaves a session behind.
    if (before.kind === 'account' && next.kind !== 'account') serverLogout.owe();
  }

  async function showSignedOut(reason: SignOutReason | null, problem: ErrorBody | null) {
    close();
    const mine = turn;
    const show = (error: ErrorBody | null) =>
      state.setState({ session: { phase: 'signed_out', ways, reason, problem: error ?? problem } });
    show(null);
    handover.settle();
    if (mine !== turn) return;
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
    const newer = missed();
    if (newer.at > aim.at) {
      // Not the end of whoever is signed in now; but those who sign out mean the person that they see.
      const isMeant = reason === 'signed_out' && (newer.kind === 'none' || isSamePerson(newer, aim));
      if (!isMeant) return follow(newer, null);
    }
    const wasAccount = aim.kind === 'account';
    aim = profile.move(null, reason === 'expired');
    forgetOthers(aim);
    void showSignedOut(reason, problem);
    if (wasAccount && reason !== 'signed_out_elsewhere') serverLogout.owe();
  }

  /** What others have written here; whose token has only run out may come back, and the marker still names them. */
  function forgetOthers(owner: Marker) {
    forgetDrafts(env.local, owner);
    forgetUnsent(env.tab, owner);
  }

  // Becoming the one whom the marker names

  async function resume(marker: Marker, reason: SignOutReason | null) {
    close();
    const mine = turn;
    aim = marker;
    forgetOthers(marker);
    if (marker.kind === 'none') return showSignedOut(reason, null);
    state.setState({ session: STARTING });
    const found = await patience.insist(
      () => mine === turn,
      () => prove(marker),
      stillStarting,
    );
    if (!found) return;
    if (found.ok) {
      if (isSamePerson(markerOf(found.value), marker)) begin(found.value, marker);
      // The cookie is somebody else's by now.
      else if (!isStale()) take(found.value);
      return;
    }
    if (marker.kind !== 'token') end('signed_out_elsewhere');
    // Without the token, which is in a tab that sleeps or was closed, it is nobody's end.
    else if (profile.secret(marker)) end('expired', found.error);
    else showSignedOut(reason, null);
  }

  async function prove(marker: Marker): Promise<Result<Identity>> {
    if (marker.kind === 'account') return refresh.ask();
    if (marker.kind === 'none') return fail(localError('disconnected'));
    const mine = turn;
    const secret = profile.secret(marker) ?? (marker.kind === 'token' ? await profile.askTabs(marker) : null);
    if (mine !== turn) return fail(localError('disconnected'));
    if (secret === null) return fail({ success: false, code: 'unauthorized', message: 'Nobody is signed in here.' });
    profile.keepSecret(marker, secret);
    return proveSecret(marker.kind, secret);
  }

  async function proveSecret(kind: 'guest' | 'token', secret: string): Promise<Result<Holder>> {
    const result = await api.me(kind === 'guest' ? { guest_session: secret } : { token: secret });
    return result.ok ? ok({ kind, user: result.value.user, secret }) : result;
  }

  function stillStarting(problem: ErrorBody) {
    if (state.getState().session.phase === 'starting') state.setState({ session: { phase: 'starting', problem } });
  }

  function takeHanded(next: Holder) {
    if (identity?.kind !== 'token' || !isSameUser(identity.user, next.user)) return take(next);
    aim = profile.move(next);
    hold(next.secret);
  }

  /** Another tab has signed in, out or over, or did while this one slept. */
  function follow(marker: Marker, secret: string | null) {
    if (marker.at <= aim.at) return;
    profile.keepSecret(marker, secret);
    if (identity && isSamePerson(marker, aim)) {
      aim = marker;
      void catchUp(marker);
    } else if (marker.kind === 'none' && state.getState().session.phase === 'signed_out') {
      aim = marker;
      forgetOthers(marker);
    } else if (marker.kind !== 'none') {
      void resume(marker, 'switched');
    } else {
      void resume(marker, marker.user_id === null ? 'signed_out_elsewhere' : 'expired');
    }
  }

  /** The same person goes on with another secret, which may be in another tab. */
  async function catchUp(marker: Marker) {
    const mine = turn;
    const secret = profile.secret(marker) ?? (marker.kind === 'token' ? await profile.askTabs(marker) : null);
    if (mine !== turn || aim !== marker || secret === null) return;
    profile.keepSecret(marker, secret);
    hold(secret);
  }

  async function hold(secret: string) {
    if (!identity || identity.kind === 'account' || identity.secret === secret) return;
    identity = { ...identity, secret };
    if (identity.kind !== 'token') return;
    const mine = turn;
    if ((await state.getState().chat?.authenticate(secret)) && mine === turn) shown = secret;
  }

  /** Whether somebody has signed in, out or over without this tab having heard of it; then it follows. */
  function isStale(): boolean {
    const newer = missed();
    if (newer.at <= aim.at) return false;
    follow(newer, null);
    return true;
  }

  // The access token of an account

  async function renew(): Promise<Result<Account>> {
    const mine = turn;
    const result = await refresh.ask();
    if (mine !== turn) return fail(localError('disconnected'));
    if (!result.ok) {
      if (!isPassing(result.error)) end('signed_out_elsewhere');
      if (mine === turn) scheduleRenewal();
      return result;
    }
    if (!isSamePerson(markerOf(result.value), aim)) {
      // Somebody else has signed in, and this tab has not heard of it.
      if (!isStale()) take(result.value);
      else if (mine === turn) scheduleRenewal();
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
      shown = identity.secret;
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
    if (identity && identity.kind !== 'account') return secretRefused(identity.kind, error);
    end('signed_out_elsewhere');
    return false;
  }

  /** Whether there is a newer secret to come back with; else what was shown is all there is, and it is over. */
  function secretRefused(kind: Holder['kind'], error: ErrorBody): boolean {
    const mine = turn;
    if (isStale() && mine !== turn) return false;
    const held = profile.secret(aim);
    if (held !== null && held !== shown) {
      void hold(held);
      return true;
    }
    if (held !== null || kind === 'guest') end(kind === 'token' ? 'expired' : 'signed_out_elsewhere', error);
    // Another tab may have it.
    else void resume(aim, 'expired');
    return false;
  }

  function told(error: ErrorBody) {
    if (error.code === 'signed_out') return end('signed_out_elsewhere');
    if (error.code !== 'token_expired') return;
    if (identity?.kind === 'token') secretRefused('token', error);
    // The next connection, at once, begins with a fresh one.
    else if (identity?.kind === 'account') identity = { ...identity, expires_at: 0 };
  }

  // What people do

  async function signIn(ask: () => Promise<Result<SignedIn>>): Promise<ErrorBody | null> {
    const work = async () => {
      if (profile.owesLogout()) await api.logout();
      const result = await ask();
      if (!result.ok) return result.error;
      profile.oweLogout(false);
      take(accountOf(result.value));
      return null;
    };
    // Together with the marker, so that marker and cookie name the same user whichever tab comes last.
    return env.exclusively(work).catch(() => localError('unreachable'));
  }

  function start() {
    profile.onMoved(follow);
    serverLogout.resume();
    const marker = profile.marker();
    if (marker.kind !== 'none') void resume(marker, null);
    let isHanded = false;
    const stopWatching = env.watchHandedToken((token) => {
      isHanded = true;
      if (here() === null) {
        close();
        state.setState({ session: STARTING });
      }
      void handover.offer(token);
    });
    if (marker.kind === 'none' && !isHanded) void resume(marker, null);
    const stopSignals = env.signals.subscribe((signal) => {
      if (signal === 'offline' || signal === 'hidden') return;
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
    acceptHandover: handover.accept,
    declineHandover: () => {
      handover.drop();
      if (identity) state.setState({ session: { phase: 'signed_in', user: identity.user, kind: identity.kind } });
    },
    dispose: () => {
      stop();
      handover.drop();
      serverLogout.dispose();
      close();
      profile.dispose();
    },
  };
}

const markerOf = ({ kind, user }: Identity): Marker => ({ kind, tenant: user.tenant, user_id: user.id, at: 0 });
