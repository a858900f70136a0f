// Every screen, for people who use another device than eyes and a mouse, or want no motion.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertAccessible } from './axe.mjs';
import { tapSockets } from './sockets.mjs';
import { MAYA, MAYAS_SHARE, setStage, tokenOf } from './stage.mjs';
import { openProfile, startSite } from './support.mjs';

const CALM = { reducedMotion: 'reduce' };
const PHONE = { ...CALM, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** Shorter than anything that is seen. */
const NO_TIME_S = 0.001;

let stage;
before(async () => {
  stage = await setStage(await startSite({ rate_limit_messages: MAYAS_SHARE, create_rooms_on_join: false }));
});

async function openTab(t, path, options = CALM) {
  const profile = await openProfile(t, stage.server, options);
  const window = await profile.newTab();
  window.tap = await tapSockets(window.page);
  await window.visit(path);
  return window;
}

const openAsMaya = (t, path = '/', options = CALM) => openTab(t, `${path}#token=${tokenOf(MAYA)}`, options);

async function openFestival(t, options = CALM) {
  const window = await openAsMaya(t, `/rooms/${stage.rooms.festival.id}`, options);
  await window.live();
  await window.list.getByTestId('message').last().waitFor();
  return window;
}

/** In the festival's room, with a message that was refused and one that waits. */
async function openWithUnsent(t) {
  const window = await openFestival(t);
  const denied = { success: false, code: 'access_denied', message: 'Only for a test' };
  window.tap.change = ({ event, data }) => (event === 'chat_message' ? denied : data);
  await window.composer.fill('Nobody may write this.');
  await window.composer.press('Enter');
  await window.button('Retry').waitFor();
  window.tap.change = ({ data }) => data;
  await window.composer.fill('This has to wait.');
  await window.composer.press('Enter');
  await window.page.locator('[data-state=waiting]').waitFor();
  return window;
}

/** Every screen by name, as a function that opens it. */
const SCREENS = {
  async 'the sign-in screen'(t) {
    const window = await openTab(t, '/');
    await window.isSignedOut();
    return window;
  },
  async 'the sign-in screen with what is wrong'(t) {
    const window = await openTab(t, '/');
    window.profile.mayBeRefused(401);
    await window.fillIn({ username: 'nobody', password: 'not the password' });
    await window.button('Sign in', window.form).click();
    await window.reads('Name or password is wrong.');
    return window;
  },
  async 'the form for a new account with what is missing'(t) {
    const window = await openTab(t, '/');
    await window.button('Make one').click();
    await window.button('Make account').click();
    await window.reads('Write your name');
    return window;
  },
  async 'the start without conversations'(t) {
    const window = await openTab(t, '/');
    await window.button('Continue as a guest').click();
    await window.heading('No conversations yet').waitFor();
    await window.live();
    return window;
  },
  async 'the start with conversations'(t) {
    const window = await openAsMaya(t);
    await window.conversation('General').waitFor();
    return window;
  },
  async 'a busy room'(t) {
    const window = await openFestival(t);
    await window.ready('Summer festival');
    await stage.clients['Noor Haddad'].ok('typing', { room_id: stage.rooms.festival.id, is_typing: true });
    await window.reads('Noor Haddad is typing…');
    return window;
  },
  'a room with messages that are not sent': openWithUnsent,
  async 'a private conversation'(t) {
    const window = await openAsMaya(t, `/rooms/${stage.rooms.withNoor.id}`);
    await window.reads('It is short, promised.');
    return window;
  },
  async 'a person to write to'(t) {
    const window = await openAsMaya(t, '/people/3');
    await window.reads('begins the conversation.');
    return window;
  },
  async 'the dialog to find something'(t) {
    const window = await openFestival(t);
    await window.button('Find').click();
    await window.dialog.getByRole('link').nth(3).waitFor();
    return window;
  },
  async 'the dialog to find something that is not there'(t) {
    const window = await openFestival(t);
    await window.button('Find').click();
    await window.page.keyboard.type('nothing of this name');
    await window.reads('No rooms or people with that name.');
    return window;
  },
  async 'the dialog for a new room'(t) {
    const window = await openFestival(t);
    await window.button('New room').click();
    await window.dialog.getByRole('searchbox').or(window.dialog.getByLabel('Add people by name')).fill('a');
    await window.dialog.getByRole('button', { name: /^Add / }).first().click();
    await window.dialog.getByRole('button', { name: /^Remove / }).waitFor();
    return window;
  },
  async 'the emoji'(t) {
    const window = await openFestival(t);
    await window.button('Emoji').click();
    await window.dialog.getByRole('gridcell').first().waitFor();
    return window;
  },
  async 'the menu of oneself'(t) {
    const window = await openFestival(t);
    await window.userMenu(MAYA).click();
    await window.dialog.getByRole('radio').first().waitFor();
    return window;
  },
  async 'a room that one may not enter'(t) {
    const { room } = await stage.clients['Noor Haddad'].ok('create_room', { name: 'Not for Maya', private: true });
    const window = await openAsMaya(t, `/rooms/${room.id}`);
    await window.heading('This room is private').waitFor();
    return window;
  },
  async 'a room that is not there'(t) {
    const window = await openAsMaya(t, '/rooms/nowhere');
    await window.heading('There is no such room').waitFor();
    return window;
  },
  async 'the loss of the network'(t) {
    const window = await openFestival(t);
    window.profile.mayLoseConnections();
    await window.profile.context.setOffline(true);
    await window.phase('offline');
    return window;
  },
  async 'the conversations on a phone'(t) {
    const window = await openAsMaya(t, '/', PHONE);
    await window.conversation('General').waitFor();
    return window;
  },
  'a room on a phone': (t) => openFestival(t, PHONE),
  async 'the people of a room on a phone'(t) {
    const window = await openFestival(t, PHONE);
    await window.button('People').tap();
    await window.dialog.getByRole('listitem').first().waitFor();
    return window;
  },
};

describe('an automatic check finds nothing serious', () => {
  for (const [name, open] of Object.entries(SCREENS)) {
    test(`in ${name}`, async (t) => assertAccessible(t, await open(t)));
  }
});

describe('without motion nothing moves', () => {
  for (const name of ['a busy room', 'the dialog to find something', 'the emoji', 'the menu of oneself', 'the loss of the network']) {
    test(`in ${name}`, async (t) => {
      const window = await SCREENS[name](t);
      const moving = await window.page.evaluate((noTime) => {
        const seconds = (value) => Math.max(...value.split(',').map((part) => parseFloat(part) * (part.endsWith('ms') ? 0.001 : 1)));
        const found = document.getAnimations()
          .filter(({ effect }) => effect.getComputedTiming().activeDuration > noTime * 1000)
          .map((animation) => `${animation.animationName ?? animation.transitionProperty} is running`);
        for (const element of document.querySelectorAll('body, body *')) {
          for (const pseudo of [null, '::before', '::after']) {
            const style = getComputedStyle(element, pseudo);
            const isMoving = (style.animationName !== 'none' && seconds(style.animationDuration) > noTime)
              || seconds(style.transitionDuration) > noTime || style.scrollBehavior === 'smooth';
            if (isMoving) found.push(`${element.tagName}.${element.className}${pseudo ?? ''}`);
          }
        }
        return found;
      }, NO_TIME_S);
      assert.deepEqual(moving, []);
    });
  }
});
