import { en } from './en';
import { createFormat, type Format, pickLocale } from './format';

export type Strings = typeof en;
export type { Format };

const format = createFormat(pickLocale(en.lang, typeof navigator === 'undefined' ? [] : navigator.languages));

/** Every text that people read. A second language becomes a choice here. */
export function useStrings(): Strings {
  return en;
}

export function useFormat(): Format {
  return format;
}
