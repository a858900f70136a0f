import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Role } from '../protocol/generated/Role';
import type { RoomKind } from '../protocol/generated/RoomKind';
import { isolated } from './isolated';

const rules = new Intl.PluralRules('en');
const numbers = new Intl.NumberFormat('en');
const names = new Intl.ListFormat('en', { type: 'conjunction' });

function count(n: number, one: string, other: string): string {
  return `${numbers.format(n)} ${rules.select(n) === 'one' ? one : other}`;
}

/** A wait in words: "12 s", "2 min". */
function wait(seconds: number): string {
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** What went wrong, for people. Codes that say too little keep the server's own sentence. */
const errors: Readonly<Record<string, string>> = {
  rate_limited: 'That was a lot in a short time. Wait a moment.',
  access_denied: 'You may not do this.',
  not_found: 'It does not exist any more.',
  blocked: 'You and this person cannot write to each other.',
  room_archived: 'This room is archived: nobody can write to it.',
  room_closed: 'The conversation was closed.',
  overloaded: 'The server has too much to do. Try again in a moment.',
  restarting: 'The server is restarting. Try again in a moment.',
  storage_unavailable: 'The server cannot store anything right now. Try again in a moment.',
  internal: 'Something went wrong on the server.',
  unreachable: 'The server cannot be reached.',
  offline: 'You are offline.',
  timeout: 'The server did not answer.',
  disconnected: 'The connection was lost.',
};

const roles: Readonly<Record<Role, string | null>> = { owner: 'Owner', admin: 'Admin', member: null };
const kinds: Readonly<Record<RoomKind, string>> = {
  public: 'Public room',
  private: 'Private room',
  direct: 'Direct message',
  support: 'Support',
};

/** The server's sentences begin small and end without a full stop. */
function sentence(text: string): string {
  const capitalised = text.charAt(0).toLocaleUpperCase('en') + text.slice(1);
  return /[.!?…]$/u.test(capitalised) ? capitalised : `${capitalised}.`;
}

export const en = {
  lang: 'en',
  product: 'Confab',
  error: (body: ErrorBody) => errors[body.code] ?? sentence(body.message),
  title: (place: string | null, unread: number) =>
    `${unread > 0 ? `(${numbers.format(unread)}) ` : ''}${place === null ? '' : `${isolated(place)} · `}Confab`,

  common: {
    cancel: 'Cancel',
    close: 'Close',
    back: 'Back',
    retry: 'Try again',
    reload: 'Reload',
    loading: 'Loading',
    justNow: 'just now',
    now: 'now',
    online: 'Online',
    offline: 'Offline',
  },

  signIn: {
    title: 'Sign in to Confab',
    titleRegister: 'Make an account',
    titleGuestOnly: 'Welcome to Confab',
    tagline: 'Talk with your people, on your own server.',
    username: 'Name',
    password: 'Password',
    passwordHint: 'At least 8 characters',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    submit: 'Sign in',
    submitRegister: 'Make account',
    submitting: 'One moment…',
    toRegister: 'No account yet?',
    toRegisterAction: 'Make one',
    toSignIn: 'Have an account?',
    toSignInAction: 'Sign in',
    or: 'or',
    guest: 'Continue as a guest',
    noWay: 'This server lets nobody in by itself. Open Confab from the application that you use it with.',
    unreachable: 'The server cannot be reached. Confab keeps trying.',
    nameMissing: 'Write your name',
    nameLong: 'A name has at most 100 characters',
    passwordMissing: 'Write your password',
    passwordShort: 'A password has at least 8 characters',
    passwordLong: 'A password has at most 1,000 characters',
    nameTaken: 'This name is taken. Is it yours? Then sign in.',
    wrong: 'Name or password is wrong.',
    registrationClosed: 'No new accounts can be made here.',
    limited: (seconds: number) => `Too many attempts. Try again in ${wait(seconds)}.`,
    reasons: {
      signed_out: null,
      signed_out_elsewhere: 'You were signed out in another window, or your session has ended.',
      expired: 'Your session has ended. Sign in again.',
      switched: 'Somebody else signed in with this browser.',
    },
    guestDialogTitle: 'Sign in or make an account',
    guestDialogText: 'What you wrote as a guest stays with the guest.',
  },

  starting: {
    problem: (reason: string) => `${reason} Confab keeps trying.`,
  },

  handover: {
    title: (next: string) => `Continue as ${isolated(next)}?`,
    text: (current: string) =>
      `You are ${isolated(current)} here. The link that you followed signs somebody else in, in all windows of this browser.`,
    decline: (current: string) => `Stay ${isolated(current)}`,
    accept: (next: string) => `Continue as ${isolated(next)}`,
    problem: (reason: string) => `The link could not sign you in. ${reason}`,
  },

  shell: {
    sidebar: 'Your conversations',
    conversations: 'Conversations',
    newRoom: 'New room',
    desk: 'Customer support',
    find: 'Find',
    makeRoom: 'Make a room',
    findSomething: 'Find rooms and people',
    skip: 'Skip to messages',
    unread: (n: number) => count(n, 'unread message', 'unread messages'),
    noMessages: 'No messages yet',
    preview: (sender: string, text: string) => `${isolated(sender)}: ${text}`,
    previewMine: (text: string) => `You: ${text}`,
    emptyTitle: 'No conversations yet',
    emptyText: 'Make a room, or find one to enter. Whatever you take part in is listed here.',
    emptyGuest: 'Make a room of your own. People who add you to theirs show up here.',
    failed: 'Your conversations could not be loaded.',
    nothingTitle: 'Nothing open',
    nothingText: 'Choose a conversation on the left, or begin a new one.',
    notFoundTitle: 'There is no such page',
    notFoundText: 'The address may be incomplete.',
    toStart: 'To your conversations',
  },

  userMenu: {
    open: (name: string) => `${isolated(name)}, menu`,
    theme: 'Appearance',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    signOut: 'Sign out',
    guestSignIn: 'Sign in or make an account',
    guestEnd: 'End guest session',
    unsentTitle: 'Messages were not sent',
    unsentText: 'Some of your messages have not been sent yet. If you sign out now, they are lost.',
    unsentSignOut: 'Sign out anyway',
    handedOver: 'Signed in by another application',
  },

  newRoom: {
    title: 'New room',
    name: 'Name',
    nameMissing: 'Give the room a name',
    nameLong: 'A name has at most 100 characters',
    privateLabel: 'Private',
    privateHint: 'Only people you add can enter and read.',
    publicHint: 'Everybody on this server can find and enter it.',
    guestHint: 'Everybody with an account here can find and enter it. Other guests cannot.',
    people: 'People',
    addPeople: 'Add people by name',
    remove: (name: string) => `Remove ${isolated(name)}`,
    add: (name: string) => `Add ${isolated(name)}`,
    create: 'Make room',
  },

  find: {
    title: 'Find',
    placeholder: 'Find rooms and people',
    rooms: 'Rooms',
    people: 'People',
    participants: (n: number) => count(n, 'person', 'people'),
    joined: 'Joined',
    nobody: 'No rooms or people with that name.',
    nothing: 'There are no other rooms or people yet.',
    hint: '↑ ↓ to choose, Enter to open',
    guestTitle: 'Guests cannot look around',
    guestText:
      'Guests only see rooms that they made or were added to, and cannot write to people by themselves. With an account you can.',
  },

  room: {
    kinds,
    people: 'People',
    /** `people` null: not known yet. `isAll`: whether there are no more than these. */
    detail(kind: RoomKind, people: number | null, online: number, isAll: boolean): string {
      if (people === null) return kinds[kind];
      const counted = isAll ? count(people, 'person', 'people') : `${numbers.format(people)}+ people`;
      return `${kinds[kind]} · ${counted} · ${numbers.format(online)}${isAll ? '' : '+'} online`;
    },
    messages: 'Messages',
    start: (name: string) => `This is the beginning of ${isolated(name)}.`,
    startDirect: (name: string) => `This is the beginning of your conversation with ${isolated(name)}.`,
    emptyTitle: 'Nothing here yet',
    emptyText: 'Write the first message.',
    personText: (name: string | null) =>
      name === null
        ? 'Your first message begins the conversation.'
        : `Your first message to ${isolated(name)} begins the conversation.`,
    newMessages: 'New messages',
    jumpNew: (n: number) => count(n, 'new message', 'new messages'),
    jumpLatest: 'To the newest messages',
    loadingOlder: 'Loading older messages',
    messageLabel: (sender: string, time: string) => `${isolated(sender)}, ${time}`,
    arrived: (sender: string, text: string) => `${isolated(sender)}: ${text}`,
    marks: { sent: 'Sent', read: 'Read' },
    copy: 'Copy text',
    copied: 'Copied',
    copyFailed: 'The text could not be copied.',
    sending: 'Sending',
    waiting: (seconds: number) => `Goes out in ${wait(seconds)}`,
    failed: (reason: string) => `Not sent. ${reason}`,
    failedUnknown: 'Not sent.',
    retry: 'Retry',
    discard: 'Delete',
    deniedTitle: 'This room is private',
    deniedText: 'Only its participants can enter. Ask one of them to add you.',
    deniedGuest: 'Guests only enter rooms that they made or were added to.',
    removedTitle: 'You are not in this room any more',
    removedText: 'You left it, or somebody who manages it removed you.',
    missingTitle: 'There is no such room',
    missingText: 'It may have been removed, or the address is incomplete.',
    failedTitle: 'The room could not be loaded',
    failedText: 'Your connection or the server had a problem.',
  },

  composer: {
    label: 'Message',
    placeholder: (name: string) => (name === '' ? 'Message' : `Message ${isolated(name)}`),
    send: 'Send',
    emoji: 'Emoji',
    hint: 'Enter to send, Shift + Enter for a new line',
    left: (n: number) => count(n, 'character left', 'characters left'),
    tooLong: (n: number) => `${count(n, 'character', 'characters')} too many`,
    limitedFirst: (seconds: number) => `You can send again in ${wait(seconds)}.`,
    limited: (seconds: number) =>
      `You can send again in ${wait(seconds)}. What you write meanwhile goes out by itself.`,
  },

  emoji: {
    search: 'Search emoji',
    searching: 'Loading…',
    none: (search: string) => `No emoji for “${search}”`,
    failed: 'The emoji could not be loaded.',
    skinTone: 'Skin tone',
    choose: 'Choose an emoji',
  },

  typing: {
    region: 'Typing',
    line(people: readonly string[]): string {
      const who = people.map(isolated);
      if (who.length === 0) return '';
      if (who.length === 1) return `${who[0]} is typing…`;
      if (who.length <= 2) return `${names.format(who)} are typing…`;
      const others = who.length - 2;
      return `${who[0]}, ${who[1]} and ${count(others, 'other', 'others')} are typing…`;
    },
  },

  people: {
    title: 'People',
    roles,
    online: (n: number) => `Online — ${numbers.format(n)}`,
    offline: (n: number) => `Offline — ${numbers.format(n)}`,
    lastSeen: (ago: string) => `Last seen ${ago}`,
    write: (name: string) => `Write to ${isolated(name)}`,
    self: (name: string) => `${isolated(name)} (you)`,
  },

  connection: {
    region: 'Connection',
    connecting: 'Connecting…',
    reconnecting: 'Connection lost.',
    /** 0 s: it is being tried. */
    attempt: (n: number, seconds: number) =>
      `Attempt ${numbers.format(n)}, ${seconds > 0 ? `next in ${wait(seconds)}` : 'trying now…'}`,
    offline: 'You are offline. Confab comes back when your network does.',
    tryNow: 'Try now',
  },

  notifications: {
    region: 'Notifications',
    dismiss: 'Dismiss',
  },

  crash: {
    title: 'Something broke',
    text: 'Confab ran into a problem in this window. What you sent is safe; reloading usually helps.',
    reload: 'Reload',
  },
};
