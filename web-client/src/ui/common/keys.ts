import type { KeyboardEvent } from 'react';

/** The key belongs to an input method. 229: Safari ends the composition before it tells of the Enter that ended it. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.nativeEvent.isComposing || event.keyCode === 229;
}
