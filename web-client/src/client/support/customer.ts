// A customer of the site that shows the widget: nobody, a guest once they write, or the user that the site says they are.
// One at a time and the same in all tabs; whoever signs out leaves nothing behind.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Session } from '../../protocol/generated/Session';
import type { User } from '../../protocol/generated/User';
import { createPatience } from '../patience';
import type { Readable } from '../readable';
import { fail, localError, ok, type Result } from '../result';
import { createCustomerApi } from './customer-api';
import { type CustomerConversation, createConversation, unreadIn } from './customer-conversation';
import type { CustomerEnvironment } from './customer-environment';
import { type About, createCustomerKept, type Guest, type Marker, NOTHING } from './customer-kept';
import { restTransport } from './customer-rest';
import { socketTransport } from './customer-socket';
import type { Credentials } from './customer-transport';
import { isFinal, keyOf, merged, NOBODY, ownerOf, proofOf, provenBy, type Who } from './customer-who';

export interface CustomerState {
  readonly who: Who['kind'];
  /** Nothing of one is shown with another number: it counts the customers that have ended. */
  readonly turn: number;
  readonly conversation: CustomerConversation;
  readonly unread: number;
  /** Why there is no connection, and none is tried: guests may not write, or the token has run out. */
  readonly problem: ErrorBody | null;
}

export interface Customer {
  readonly state: Readable<CustomerState>;
  /** Connects if there is anything to be connected for. */
  start(about: About): void;
  /** They begin to write: from now on they are somebody. */
  wake(): void;
  signIn(token: string): Promise<void>;
  signOut(): void;
  setVisible(isVisible: boolean): void;
  dispose(): void;
}

/** How long the tab in which somebody has signed in may take to tell the others. */
const LINKED_MS = 1500;

export function createCustomer(env: CustomerEnvironment): Customer {
  const api = createCustomerApi(env.fetch);
  const kept = createCustomerKept(env.local, env.tab, env.channel);
  const patience = createPatience(env.random);
  const sockets = {
    startsBlocked: kept.areSocketsBlocked(),
    blocked: kept.setSocketsBlocked,
  };
  let marker = kept.marker();
  let who: Who = guestHere();
  let turn = 0;
  let signing = 0; // of the newest sign-in: answers to an older one are not for us
  let isVisible = false;
  let host: About = NOTHING.about;
  let conversation = openConversation();
  const state = createStore<CustomerState>(() => ({
    who: who.kind,
    turn,
    conversation,
    unread: 0,
    problem: null,
  }));
  let unwatch = watch();

  function guestHere(): Who {
    const guest = kept.guest();
    return guest ? { kind: 'guest', guest } : NOBODY;
  }

  // The conversation of whoever it is

  function owner(one: Who): string {
    return ownerOf(one, marker.at);
  }

  function openConversation(): CustomerConversation {
    const mine = turn;
    const isOurs = () => mine === turn;
    return createConversation({
      socket: socketTransport(env.openSocket),
      rest: restTransport(api, env.random),
      signals: env.signals,
      newId: env.newId,
      random: env.random,
      sockets,
      credentials: () => (isOurs() ? credentials() : Promise.resolve(fail(localError('disconnected')))),
      refused: (error) => (isOurs() ? refused(error) : Promise.resolve(false)),
      me: () => (who.kind === 'user' ? who.user.id : who.kind === 'guest' ? who.guest.user_id : null),
      connected: (as) => isOurs() && connected(as),
      session: (session) => isOurs() && becameGuest(session),
      load: () => {
        const record = kept.record(owner(who));
        const { name, email } = record.about;
        return who.kind === 'user' || name !== '' || email !== '' ? record : { ...record, about: host };
      },
      save: (record) => isOurs() && kept.saveRecord(owner(who), record),
    });
  }

  function watch(): () => void {
    const { conversation: shown } = state.getState();
    return shown.state.subscribe((talk) => {
      const unread = unreadIn(talk);
      if (unread !== state.getState().unread) state.setState({ unread });
    });
  }

  /** Ends whoever is here; nothing of them is left in memory. */
  function close(next: Who) {
    turn += 1;
    unwatch();
    const before = conversation;
    who = next;
    conversation = openConversation();
    conversation.setVisible(isVisible);
    state.setState({ who: who.kind, turn, conversation, unread: 0, problem: null });
    unwatch = watch();
    before.dispose();
  }

  function is(next: Who) {
    const record = conversation.unsent();
    const before = owner(who);
    who = next;
    if (before !== owner(next)) {
      kept.saveRecord(before, NOTHING);
      kept.saveRecord(owner(next), record);
    }
    state.setState({ who: next.kind });
  }

  // What proves who it is

  async function credentials(): Promise<Result<Credentials>> {
    if (who.kind === 'nobody') {
      const made = await makeGuest();
      if (!made.ok) return made;
    }
    if (who.kind === 'guest') return ok({ guest_session: who.guest.session });
    if (who.kind === 'nobody') return fail(localError('disconnected'));
    return ok({ token: who.token, ...(who.guest && { guest_session: who.guest.session }) });
  }

  /** One for all tabs, also where two of them begin at once. */
  async function makeGuest(): Promise<Result<unknown>> {
    const mine = turn;
    return env.exclusively(async () => {
      const known = kept.guest();
      const made = known ? null : await api.newGuest();
      // Signed in or out meanwhile: it was not for them.
      if (mine !== turn || who.kind !== 'nobody') return ok(null);
      if (made && !made.ok) {
        if (isFinal(made.error)) state.setState({ problem: made.error });
        return made;
      }
      if (made) kept.saveGuest(guestOf(made.value));
      const guest = kept.guest();
      if (guest) is({ kind: 'guest', guest });
      return ok(null);
    });
  }

  const guestOf = ({ guest_session, user_id }: Session): Guest => ({
    session: guest_session,
    tag: env.newId(),
    user_id,
  });

  /** The server did not know the guest any more, and made another one: to go on as, if there is something to say. */
  function becameGuest(session: Session) {
    if (who.kind !== 'guest' || who.guest.session === session.guest_session) return;
    kept.forgetGuest(who.guest.tag);
    conversation.forgetRoom();
    if (conversation.unsent().unsent.length === 0) {
      is(NOBODY);
      return conversation.disconnect();
    }
    const guest = guestOf(session);
    kept.saveGuest(guest);
    is({ kind: 'guest', guest });
  }

  function connected(as: Credentials) {
    state.setState({ problem: null });
    if (who.kind === 'user' && as.token !== undefined && as.guest_session === who.guest?.session) linked();
  }

  /** The guest is the user now. The session would only let in whoever comes after them. */
  function linked() {
    if (who.kind !== 'user' || !who.guest) return;
    const { user, token, guest } = who;
    kept.forgetGuest(guest.tag);
    who = { ...who, guest: null };
    // Not before: in another tab they would begin a conversation of their own.
    marker = kept.mark(keyOf(user), guest.tag, proofOf(user, token));
  }

  async function refused(error: ErrorBody): Promise<boolean> {
    if (who.kind === 'user') {
      if (error.code === 'guest_already_linked') return guestTaken();
      return renewToken(error);
    }
    if (who.kind === 'nobody') {
      state.setState({ problem: error });
      return false;
    }
    if (error.code === 'guest_linked') {
      // In another tab, which is about to say so.
      const mine = turn;
      await new Promise((resolve) => setTimeout(resolve, LINKED_MS));
      if (mine !== turn || who.kind !== 'guest') return false;
    }
    kept.forgetGuest(who.guest.tag);
    conversation.forgetRoom();
    is(NOBODY);
    // What they have written is sent by the next guest that they are.
    return conversation.unsent().unsent.length > 0;
  }

  /** The guest of this browser is somebody else: nothing of that is for this user. */
  function guestTaken(): boolean {
    if (who.kind !== 'user' || !who.guest) return false;
    const { user, token, guest } = who;
    kept.forgetGuest(guest.tag);
    kept.forgetOthers([]);
    close({ kind: 'user', user, token, guest: null });
    conversation.connect();
    // The link that asked is gone, a new one has begun.
    return false;
  }

  async function renewToken(error: ErrorBody): Promise<boolean> {
    const mine = turn;
    const before = who;
    const token = await env.askToken();
    if (mine !== turn || who !== before || who.kind !== 'user') return mine === turn;
    if (token === null || token === who.token) {
      state.setState({ problem: error });
      return false;
    }
    const found = await proven(token, () => mine === turn && who === before);
    if (!found) return mine === turn;
    if (!found.ok) {
      state.setState({ problem: found.error });
      env.tokenRefused(found.error);
      return false;
    }
    if (keyOf(found.value.user) !== keyOf(who.user)) {
      become(found.value.user, token);
      return false;
    }
    who = { ...who, token };
    return true;
  }

  const proven = (token: string, isWanted: () => boolean) => patience.insist(isWanted, () => api.me(token));

  // Signing in and out

  async function signIn(given: string) {
    signing += 1;
    const mine = signing;
    const isWanted = () => mine === signing;
    let token = given;
    let found = await proven(token, isWanted);
    if (found && !found.ok) {
      // A page that was open for long may have an old one.
      const fresh = await env.askToken();
      if (!isWanted()) return;
      if (fresh !== null && fresh !== token) {
        token = fresh;
        found = await proven(token, isWanted);
      }
    }
    if (!found || !isWanted()) return;
    if (found.ok) become(found.value.user, token);
    else env.tokenRefused(found.error);
  }

  function become(user: User, token: string) {
    const key = keyOf(user);
    if (who.kind === 'user') {
      if (keyOf(who.user) === key) return goOn(token);
      kept.forgetOthers([]);
      marker = kept.mark(key, null, proofOf(user, token));
      close({ kind: 'user', user, token, guest: null });
      return conversation.connect();
    }
    const guest = who.kind === 'guest' ? who.guest : kept.guest();
    const next: Who = { kind: 'user', user, token, guest };
    if (!guest && marker.user !== key) marker = kept.mark(key, null, proofOf(user, token));
    const record = merged(kept.record(owner(next)), conversation.unsent());
    is(next);
    kept.saveRecord(owner(next), record);
    kept.forgetOthers([owner(next)]);
    conversation.reload();
    state.setState({ problem: null });
    void proceed(token);
  }

  /** As the user, in the connection of the guest if there is one. */
  async function proceed(token: string) {
    const mine = turn;
    const before = who;
    const result = await conversation.authenticate(token);
    if (mine !== turn || who !== before) return;
    if (result?.ok) return linked();
    if (result && result.error.code === 'guest_already_linked') return void guestTaken();
    conversation.reconnect();
  }

  /** The same user with another token. */
  function goOn(token: string) {
    if (who.kind !== 'user' || who.token === token) return;
    who = { ...who, token };
    const hadProblem = state.getState().problem !== null;
    state.setState({ problem: null });
    if (hadProblem) conversation.reconnect();
    else void proceed(token);
  }

  function signOut() {
    signing += 1;
    marker = kept.mark(null, null, null);
    kept.forgetOthers([]);
    close(NOBODY);
  }

  // The other tabs

  function follow(next: Marker | null, proof: string | null) {
    if (next === null) return joinGuest();
    if (next.at <= marker.at) return;
    marker = next;
    const before = who;
    const isSame = before.kind === 'user' && keyOf(before.user) === next.user;
    const wasGuest = before.kind === 'guest' && before.guest.tag === next.from;
    // Somebody else's guest, or nobody: another page of the site, which has not said who is there.
    if (next.user !== null && (isSame || (before.kind !== 'user' && !wasGuest))) return;
    signing += 1;
    const now = wasGuest && next.user !== null ? provenBy(proof) : null;
    const record = conversation.unsent();
    kept.forgetOthers([]);
    if (!now) return close(NOBODY);
    // They have signed in elsewhere: it is their conversation here too.
    kept.saveRecord(owner(now), record);
    close(now);
    conversation.connect();
  }

  /** Another tab has made a guest of this visitor. */
  function joinGuest() {
    const here = guestHere();
    if (who.kind !== 'nobody' || here.kind !== 'guest' || state.getState().problem) return;
    is(here);
    conversation.reload();
    conversation.connect();
  }

  kept.onMoved(follow);
  const unsubscribe = env.signals.subscribe((signal) => {
    if (signal === 'hidden' || signal === 'offline') return;
    patience.wake();
    // The site may have another token by now.
    if (state.getState().problem !== null && who.kind === 'user') conversation.connect();
    // While it slept it heard nothing of the others.
    if (signal === 'visible') follow(kept.marker(), null);
  });

  return {
    state,
    start: (about) => {
      host = about;
      kept.forgetOthers([owner(who), `new:${marker.at}`, ...(marker.user !== null ? [`user:${marker.user}`] : [])]);
      conversation.reload();
      if (who.kind !== 'nobody' || conversation.unsent().unsent.length > 0) conversation.connect();
    },
    wake: () => {
      if (state.getState().problem === null) conversation.connect();
    },
    signIn,
    signOut,
    setVisible: (value) => {
      isVisible = value;
      conversation.setVisible(value);
    },
    dispose: () => {
      signing += 1;
      unsubscribe();
      unwatch();
      conversation.dispose();
      kept.dispose();
    },
  };
}
