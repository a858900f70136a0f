// Two people with a window each, and what both have to show.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { token } from '../support/clients.mjs';
import { eventually, history, openWindow } from './support.mjs';

/** Tokens of a tenant that only this test knows, and a room in it. */
export function scene() {
  const tenant = randomUUID();
  const of = (user_id, username) => token({ user_id, username, tenant });
  return { room: `room-${randomUUID()}`, alice: of(1, 'alice'), bob: of('two', 'bob') };
}

/** The windows of alice and bob, both in the room and each seeing the other. */
export async function together(t, site, { room, alice: aliceToken, bob: bobToken }) {
  const alice = await openWindow(t, site, { token: aliceToken, room });
  await alice.ready();
  const bob = await openWindow(t, site, { token: bobToken, room });
  await bob.ready();
  await Promise.all([alice.seesPerson('bob', 'online'), bob.seesPerson('alice', 'online')]);
  return { alice, bob };
}

/** The windows show what is stored: everything, once, in order; and at no moment showed a message twice. */
export async function assertSameHistory(site, accessToken, room, ...windows) {
  // What stands in a window may still be on its way.
  for (const window of windows) await eventually(async () => assert.equal(await window.unsent(), 0));
  const stored = (await history(site, accessToken, room)).map(({ message }) => message);
  for (const window of windows) {
    await eventually(async () => {
      assert.deepEqual(await window.texts(), stored);
      assert.equal(await window.unsent(), 0);
    });
    await window.assertNeverDoubled();
  }
  return stored;
}

/** Types and sends line after line, whatever happens to the server, until it is stopped. */
export function keepsWriting(window) {
  const written = [];
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      const text = `line ${written.length + 1}`;
      written.push(text);
      await window.send(text);
    }
  })();
  return {
    written,
    /** Until `count` more are in the list. */
    more: (count) => {
      const goal = written.length + count;
      return eventually(async () => assert.ok(written.length > goal));
    },
    stop: () => {
      stopped = true;
      return done;
    },
  };
}
