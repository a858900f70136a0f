// A bot that answers in one room: !ping, !time, !roll 2d6, !echo, !remind. See README.md.
import { io } from 'socket.io-client';

const ACK_TIMEOUT_MS = 10_000;
const TRY_AGAIN_MS = 3_000;
const HELP = 'I know !ping, !time, !roll 2d6, !echo text and !remind 30s text.';

const [roomText, url = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const token = process.env.CONFAB_TOKEN;
if (!roomText || !token) {
  console.error('usage: CONFAB_TOKEN=… node bot.mjs <room id> [server address]');
  process.exit(2);
}
// Ids keep their JSON type: room 7 and room "7" are two.
const room_id = /^\d{1,15}$/.test(roomText) ? Number(roomText) : roomText;
// Who we are, as the token says, so that we do not answer ourselves.
const me = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}').user_id;

const socket = io(url, { auth: { token }, transports: ['websocket'] });

// --- What it says ----------------------------------------------------------------------------------------------------

/** The answer to a text, or null. */
function answer(text, message) {
  const [, command, rest = ''] = /^!(\w+)\s*(.*)$/s.exec(text) ?? [];
  switch (command) {
    case undefined: return null;
    case 'ping': return 'pong';
    case 'time': return `It is ${new Date().toISOString()}.`;
    case 'roll': return roll(rest || '1d6');
    // Never the bare text: it could be a command for another bot, and theirs one for us, for ever.
    case 'echo': return `You said: ${rest}`;
    case 'remind': return remind(rest, message);
    case 'help': return HELP;
    default: return null;
  }
}

function roll(dice) {
  const [, count, sides] = /^(\d{1,2})d(\d{1,4})$/.exec(dice.trim()) ?? [];
  if (!(count >= 1 && sides >= 2)) return 'Say it like 2d6: two dice with six sides.';
  const rolls = Array.from({ length: count }, () => 1 + Math.floor(Math.random() * sides));
  return `${rolls.join(' + ')}${rolls.length > 1 ? ` = ${rolls.reduce((a, b) => a + b)}` : ''}`;
}

/** Reminders live in this process only: a real bot would store them. */
function remind(rest, { id, username }) {
  const [, number, unit, text] = /^(\d{1,4})([smh])\s+(.+)$/s.exec(rest) ?? [];
  if (!text) return 'Say it like !remind 30s look after the tea.';
  const seconds = number * { s: 1, m: 60, h: 3600 }[unit];
  setTimeout(() => say(`${username}, you wanted to be reminded: ${text}`, `reminder-${id}`), seconds * 1000);
  return `I will, in ${number} ${unit}.`;
}

// --- Sending: one after the other, each until the server has it -------------------------------------------------------

const queue = [];
let busy = false;

/**
 * `client_id` names what is said, not the attempt: the server stores one message of each. So a message whose
 * acknowledgement was lost is simply sent again, and a bot that is started twice still answers once.
 */
function say(message, client_id) {
  queue.push({ room_id, message, client_id });
  pump();
}

function pump() {
  if (busy || queue.length === 0 || !socket.connected) return;
  busy = true;
  const again = (ms) => setTimeout(() => { busy = false; pump(); }, ms);
  socket.timeout(ACK_TIMEOUT_MS).emit('chat_message', queue[0], (error, ack) => {
    if (error) return again(0); // no answer: sent again now, or by 'connect' when we are back
    if (ack.retry_after_ms !== undefined) return again(ack.retry_after_ms);
    const { message } = queue.shift();
    if (!ack.success) console.error(`not sent (${ack.code}): ${message}`);
    again(0);
  });
}

// --- Listening: every message once, through lost connections too ------------------------------------------------------

let rev; // the newest revision of the room that we have seen; unknown until we are in it

function hear(message) {
  if (message.room_id !== room_id || message.rev <= rev) return;
  rev = message.rev;
  if (message.user_id === me) return;
  const text = answer(message.message, message);
  if (text !== null) say(text, `answer-${message.id}`);
}

socket.on('connect', () => {
  socket.timeout(ACK_TIMEOUT_MS).emit('join_room', { room_id, since: rev }, (error, ack) => {
    if (error) return socket.connected && socket.disconnect().connect();
    if (!ack.success) {
      console.error(`cannot enter the room: ${ack.message}`);
      process.exit(1);
    }
    console.log(`in ${ack.room.name}`);
    // The first time there is nothing to catch up with: what was said before we came is not for us.
    for (const message of ack.changes ?? []) hear(message);
    rev = ack.rev;
    pump();
  });
});
socket.on('new_message', hear);

socket.on('user_joined', ({ room_id: room, user_id, username }) => {
  if (room !== room_id || user_id === me) return;
  // Also sent when somebody only reconnects: the client_id makes it one greeting a day.
  const day = new Date().toISOString().slice(0, 10);
  say(`Hello ${username}! ${HELP}`, `hello-${day}-${JSON.stringify(user_id)}`.slice(0, 128));
});

socket.on('disconnect', (reason) => console.log(`disconnected: ${reason}`));
socket.on('connect_error', (error) => {
  if (socket.active) return; // socket.io-client tries again by itself
  console.error(error.message);
  if (error.message.startsWith('unauthorized')) process.exit(1);
  setTimeout(() => socket.connect(), TRY_AGAIN_MS);
});
socket.on('error', ({ code, message }) => console.error(`${code}: ${message}`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    socket.disconnect();
    process.exit(0);
  });
}
