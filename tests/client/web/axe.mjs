// What axe-core, the usual checker of accessibility, says of a page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** React Aria's own announcements, which stay for some seconds after what they were about has gone. */
const OWN_REGIONS = [['[data-live-announcer]']];
const GRAVE = ['serious', 'critical'];

/** Nothing serious or critical, in light and in dark; what is lesser is said. */
export async function assertAccessible(t, { page }) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    // Colours change in a transition, though a short one.
    await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))));
    const found = await check(page);
    const grave = found.filter(({ impact }) => GRAVE.includes(impact));
    assert.deepEqual(grave.map(describe), [], `${colorScheme}, at ${new URL(page.url()).pathname}`);
    for (const lesser of found) t.diagnostic(`${colorScheme}: ${describe(lesser)}`);
  }
}

async function check(page) {
  // The checker comes from outside of the page, as the tools of a browser do: its policy does not apply to it.
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(source);
  const { violations } = await page.evaluate((ownRegions) =>
    globalThis.axe.run({ exclude: ownRegions }, { resultTypes: ['violations'] }), OWN_REGIONS);
  return violations;
}

function describe({ id, impact, help, nodes }) {
  const places = nodes.slice(0, 5).map(({ target, any, all, none }) =>
    `${target.join(' ')} (${[...any, ...all, ...none].map(({ message }) => message).join('; ')})`);
  return `${impact} ${id}: ${help}: ${places.join(', ')}`;
}
