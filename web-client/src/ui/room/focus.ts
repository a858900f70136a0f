import { TOUCH } from '../common/use-media';

/** The field in which one writes; the "skip" link leads there too. */
export const COMPOSER_ID = 'message';

/** Overlays give the focus back to what opened them once they are gone: it can be had only after that. */
const OVERLAY_GONE_MS = 60;

/** For what opens a room from an overlay. Not where it would bring up a keyboard on the screen. */
export function focusComposerSoon(): void {
  if (window.matchMedia(TOUCH).matches) return;
  setTimeout(() => document.getElementById(COMPOSER_ID)?.focus({ preventScroll: true }), OVERLAY_GONE_MS);
}
