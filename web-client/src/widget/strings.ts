import type { ErrorBody } from '../protocol/generated/ErrorBody';
import { isolated } from '../strings/isolated';

const names = new Intl.ListFormat('en', { type: 'conjunction' });
const numbers = new Intl.NumberFormat('en');

/** A wait in words: "12 s", "2 min". */
const wait = (seconds: number) => (seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`);

const errors: Readonly<Record<string, string>> = {
  access_denied: 'This could not be sent here.',
  internal: 'Something went wrong on our side.',
  overloaded: 'There is too much to do right now.',
  storage_unavailable: 'This cannot be stored right now.',
  timeout: 'There was no answer.',
};

/** Every text of the widget. */
export const strings = {
  lang: 'en',
  title: 'Chat with us',
  close: 'Close chat',
  messages: 'Messages',
  messageLabel: (name: string, time: string) => `${isolated(name)}, ${time}`,
  you: 'You',
  us: 'Support',

  status: {
    none: 'We answer right here',
    waiting: 'We have your message and will answer here',
    active: (name: string) => `You are talking with ${isolated(name)}`,
    closed: 'This conversation has ended',
  },

  connection: {
    connecting: 'Connecting…',
    reconnecting: 'The connection was lost. Trying again…',
    offline: 'You are offline. What you write is sent when you are back.',
  },

  problem: {
    noGuests: 'Sign in on this site to write to us.',
    expired: 'Your session has ended. Sign in on this site again to go on.',
  },

  empty: {
    title: 'Hello! How can we help?',
    text: 'Write to us. You can leave this page meanwhile: the answer will be here when you come back.',
  },
  loading: 'Loading',
  closedHint: 'Write again to begin a new conversation.',
  newConversation: 'New conversation',
  toEnd: 'To the newest message',

  typing: {
    label: 'Typing',
    line: (writers: readonly string[]) =>
      writers.length === 0
        ? 'Somebody is typing…'
        : `${names.format(writers.map(isolated))} ${writers.length === 1 ? 'is' : 'are'} typing…`,
  },

  message: {
    sending: 'Sending…',
    waiting: 'Waits to be sent',
    failed: (reason: string) => `Not sent. ${reason}`,
    retry: 'Try again',
    discard: 'Delete',
    seen: 'Seen',
  },

  composer: {
    label: 'Message',
    placeholder: 'Write a message…',
    send: 'Send',
    limited: (seconds: number) => `That was a lot at once. It is sent in ${wait(seconds)}.`,
    left: (n: number) => `${numbers.format(n)} characters left`,
    tooLong: (n: number) => `${numbers.format(n)} characters too many`,
  },

  about: {
    open: 'Add your name or e-mail (optional)',
    name: 'Your name',
    email: 'Your e-mail address',
    save: 'Save',
    cancel: 'Cancel',
    emailWrong: 'This is no e-mail address',
    saved: (who: string) => `You are writing as ${isolated(who)}`,
    change: 'Change',
  },

  error: (body: ErrorBody) => errors[body.code] ?? body.message,
};
