// The texts of the staff's console, which is loaded with it.

import type { SupportStatus } from '../protocol/generated/SupportStatus';
import { isolated } from './isolated';

const numbers = new Intl.NumberFormat('en');
const names = new Intl.ListFormat('en', { type: 'conjunction' });

/** No more than two are named. */
function who(people: readonly string[]): string {
  const [first = '', second = ''] = people.map(isolated);
  if (people.length <= 1) return first;
  return people.length === 2 ? names.format([first, second]) : `${first}, ${second} and others`;
}

const tabs: Readonly<Record<SupportStatus, string>> = { waiting: 'Waiting', active: 'Open', closed: 'Closed' };
const empty: Readonly<Record<SupportStatus, readonly [string, string]>> = {
  waiting: ['Nobody is waiting', 'Customers who write show up here.'],
  active: ['No open conversations', 'Conversations that were answered last by one of you show up here.'],
  closed: ['Nothing was closed yet', 'Conversations that are done are kept here.'],
};

const en = {
  place: 'Customer support',
  sidebar: 'Conversations with customers',
  toChat: 'To your own conversations',
  list: 'Customers',
  statuses: 'Status',
  tabs,
  /** `isAll`: whether there are no more than these. */
  count: (n: number, isAll: boolean) => `${numbers.format(n)}${isAll ? '' : '+'}`,
  empty,
  failed: 'The conversations could not be loaded.',
  loadingMore: 'Loading more conversations',
  noMessages: 'Has not written yet',
  previewMine: (text: string) => `You: ${text}`,
  previewStaff: (sender: string, text: string) => `${isolated(sender)}: ${text}`,
  typingShort: 'Typing…',
  guest: 'Guest',
  you: 'You',
  nobody: 'Unassigned',
  viewing: (people: readonly string[]) =>
    `${who(people)} ${people.length > 1 ? 'are' : 'is'} looking at this conversation`,
  typing: (people: readonly string[]) => `${who(people)} ${people.length > 1 ? 'are' : 'is'} typing…`,
  answering: (people: readonly string[]) => `${who(people)} ${people.length > 1 ? 'are' : 'is'} writing an answer…`,
  activity: 'Activity',
  start: (name: string) => `This is where the conversation with ${isolated(name)} begins.`,

  nothingTitle: 'Choose a conversation',
  nothingText: 'Those who wait for an answer stand first.',
  keys: 'J and K or ↑ ↓ go through the list, Enter opens, Esc comes back.',
  missingTitle: 'There is no such conversation',
  missingText: 'It may have been removed, or the address is incomplete.',
  toList: 'To the list',
  gone: 'This conversation is not there any more.',

  assignee: (name: string | null) => (name === null ? 'Unassigned' : `Assigned to ${isolated(name)}`),
  assign: 'Assign to me',
  takeOver: (name: string) => `Take over from ${isolated(name)}`,
  unassign: 'Unassign',
  close: 'Close',
  closeLabel: 'Close conversation',
  closeTitle: (name: string) => `Close the conversation with ${isolated(name)}?`,
  closeText: 'It is kept, and nobody can write in it any more. The customer’s next message begins a new one.',
  closeConfirm: 'Close conversation',
  closeFailed: (reason: string) => `The conversation could not be closed. ${reason}`,
  assignFailed: (reason: string) => `The conversation could not be assigned. ${reason}`,
  closed: 'This conversation is closed. If the customer writes again, a new one begins.',

  staleTitle: 'There are newer messages. Your answer was not sent.',
  staleText: 'Read them first. What you wrote is still here.',
  staleSend: 'Send anyway',
  staleEdit: 'Change it',

  notStaffTitle: 'This page is for staff',
  notStaffText: (name: string) => `You are ${isolated(name)} here, who does not answer customers.`,
  signInElse: 'Sign in as somebody else',
};

export type StaffStrings = typeof en;

export function useStaffStrings(): StaffStrings {
  return en;
}
