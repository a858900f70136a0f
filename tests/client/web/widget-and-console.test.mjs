// The widget on a page of another site, and the console in a second window: both sides as people have them.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openDesk, staffMember } from './desk.mjs';
import { eventually } from './support.mjs';
import { openVisitor, startSite, tokenOf } from './widget-site.mjs';

const sam = staffMember('Sam Reyes');
let site;
before(async () => { site = await startSite(); });

test('a guest in two tabs talks with the console, signs in and out, and each side sees what is its own', async (t) => {
  const desk = await openDesk(t, site.server, sam);
  const visitor = await openVisitor(t, site);
  const [tab, other] = [await visitor.open(), await visitor.open()];
  await tab.toggle();
  await tab.send('Do you repair pots?');
  await other.toggle();
  await other.sees('Do you repair pots?');

  await desk.row('Guest').getByText('Do you repair pots?').waitFor();
  await desk.row('Guest').click();
  await desk.sees('Do you repair pots?');
  await desk.send('We do!');
  for (const each of [tab, other]) await each.sees('We do!');

  await tab.call('signIn', tokenOf('clara'));
  await desk.row('clara').waitFor();
  await other.send('Then I bring mine.');
  await desk.sees('Then I bring mine.');
  await desk.send('See you on Monday.');
  const said = ['Do you repair pots?', 'We do!', 'Then I bring mine.', 'See you on Monday.'];
  for (const each of [tab, other]) {
    await each.sees('See you on Monday.');
    assert.deepEqual(await each.texts(), said);
  }
  await eventually(async () => assert.deepEqual(await desk.texts(), said));

  await other.call('signOut');
  for (const each of [tab, other]) {
    await each.frame.getByText('Hello! How can we help?').waitFor();
    assert.deepEqual(await each.texts(), []);
  }
  await tab.send('I am somebody else');
  await desk.row('Guest').getByText('I am somebody else').waitFor();
  await desk.row('clara').waitFor();
  assert.deepEqual(await desk.texts(), said);
  assert.deepEqual(await tab.texts(), ['I am somebody else']);
});
