// What is sent for each command of the table: `(room, cast, caller) => payload`, and what is done before. `a room` is that of
// the row; where the row is about people or nothing, it holds the target's name alone.
import { now } from '../support/clients.mjs';

/** Rows that are about a room. */
export const ROOMS = [
  'public', 'private', 'added', 'archived', 'direct', 'cut', 'guests', 'linkeds', 'support', 'closed', 'asks', 'linkasks', 'missing',
];

/** Commands that, where they are allowed, change what there is to see of a room. */
export const CHANGING = [
  '/ chat_message', '/ add_participant', '/ remove_participant', '/ set_role', '/ rename_room', '/ archive_room',
  '/support chat_message', '/support close_room', '/admin admin_message', '/admin close_room',
];

const room = ({ id }) => ({ room_id: id });
const nothing = () => ({});

function person({ target }, cast, caller) {
  if (target === 'somebody') return cast.w.id('somebody');
  return cast.id(target === 'oneself' ? caller : target);
}

/** Tokens to go on with. That of a guest who has none names the guest, as no token may. */
function tokenFor({ target }, cast, caller) {
  const isGuest = caller === 'guest' || caller === 'other';
  switch (target) {
    case 'own': return isGuest ? cast.token('stranger', { user_id: cast.id(caller) }) : cast.token(caller);
    case 'anothers': return cast.token('subject', { is_staff: true });
    case 'foreigners': return cast.token(caller === 'foreign' ? 'staff' : 'foreign');
    default: return cast.token(isGuest ? 'stranger' : caller, { exp: now() - 100 });
  }
}

const authenticate = (target, cast, caller) => ({ token: tokenFor(target, cast, caller) });

/** In `/support` and `/` a `room_id` is given where the row names a room. */
const named = (target) => (target.id ? room(target) : {});

export const PAYLOADS = {
  '/': {
    join_room: room,
    get_messages: room,
    get_room_participants: room,
    get_room: room,
    get_changes: room,
    chat_message: (target, cast) => ({ ...room(target), message: cast.word(target.target) }),
    'chat_message:reply': (target, cast) => ({ ...room(target), message: cast.word(target.target), reply_to: cast.elsewhere }),
    'chat_message:file': (target, cast) => ({ ...room(target), message: cast.word(target.target), attachments: [cast.w.id('file')] }),
    typing: (target) => ({ ...room(target), is_typing: true }),
    leave_room: room,
    mark_read: (target) => ({ ...room(target), seq: 1 }),
    add_participant: (target, cast) => ({ ...room(target), user_id: cast.w.id('newcomer') }),
    'add_participant:blocked': (target, cast) => ({ ...room(target), user_id: cast.id('blocked') }),
    remove_participant: (target, cast) => ({ ...room(target), user_id: cast.id('subject') }),
    'remove_participant:self': (target, cast, caller) => ({ ...room(target), user_id: cast.id(caller) }),
    set_role: (target, cast) => ({ ...room(target), user_id: cast.id('subject'), role: 'admin' }),
    'set_role:guest': (target, cast) => ({ ...room(target), user_id: cast.id('guest'), role: 'admin' }),
    rename_room: (target, cast) => ({ ...room(target), name: cast.word(target.target) }),
    archive_room: room,
    'archive_room:back': (target) => ({ ...room(target), archived: false }),
    create_room: (_, cast, caller) => ({ name: cast.word(`own ${caller}`), private: true }),
    'create_room:invite': (target, cast, caller) => ({ name: 'a room of two', private: true, participants: [person(target, cast, caller)] }),
    private_message: (target, cast, caller) => ({ recipient_id: person(target, cast, caller), message: 'a word' }),
    block_user: (target, cast, caller) => ({ user_id: person(target, cast, caller) }),
    unblock_user: (target, cast, caller) => ({ user_id: person(target, cast, caller) }),
    get_blocked_users: nothing,
    get_user_conversations: nothing,
    get_user_rooms: nothing,
    search_users: () => ({ query: '', limit: 50 }),
    search_rooms: () => ({ query: '', limit: 50 }),
    authenticate,
  },
  '/support': {
    open_room: nothing,
    get_room: nothing,
    chat_message: (target, cast, caller) => ({ ...named(target), content: cast.word(target.id ? target.target : `own ${caller}`) }),
    typing: (target) => ({ ...named(target), is_typing: true }),
    get_messages: named,
    mark_read: (target) => ({ ...named(target), seq: 1 }),
    close_room: named,
    authenticate,
  },
  '/admin': {
    admin_message: (target, cast) => ({ ...room(target), content: cast.word(target.target) }),
    get_messages: room,
    mark_read: (target) => ({ ...room(target), seq: 1 }),
    typing: (target) => ({ ...room(target), is_typing: true }),
    view_room: room,
    'view_room:none': () => ({ room_id: null }),
    assign_room: room,
    'assign_room:guest': (target, cast) => ({ ...room(target), user_id: cast.id('guest') }),
    'assign_room:foreigner': (target, cast) => ({ ...room(target), user_id: cast.id('foreign') }),
    close_room: room,
    get_rooms: () => ({ limit: 200 }),
    authenticate,
  },
};

/** What is asked before, on the same connection, whatever comes of it: nobody types where they are not. */
export function first({ namespace, command, target }, about) {
  if (command === 'typing' && namespace === '/') return ['join_room', room(about)];
  if (command === 'typing' && namespace === '/admin') return ['view_room', room(about)];
  if (target === 'own' && namespace === '/support') return ['open_room', {}];
  return undefined;
}
