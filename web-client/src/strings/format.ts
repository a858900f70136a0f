/** Dates in words. One object per locale; the formatters are made once, they are costly. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The reader's own variety of the language that the texts are in, so that en-GB gets its own dates and clock. */
export function pickLocale(lang: string, preferred: readonly string[]): string {
  return preferred.find((locale) => locale === lang || locale.startsWith(`${lang}-`)) ?? lang;
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** Whole calendar days from `time` to `now`; rounding takes care of the days that have 23 or 25 hours. */
function daysBetween(time: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(time)) / DAY);
}

/** The calendar day that a time stands on: from `start`, up to `end`. */
export function dayOf(time: number): { readonly start: number; readonly end: number } {
  const start = startOfDay(time);
  const next = new Date(start);
  return { start, end: next.setDate(next.getDate() + 1) };
}

export interface Format {
  /** "14:05" */
  time(time: number): string;
  /** "14:05", "2:05": where there is no room for more */
  clock(time: number): string;
  /** "Saturday, 21 November 2026 at 14:05" */
  full(time: number): string;
  /** "Today", "Yesterday", "Friday, 13 November" */
  day(time: number, now: number): string;
  /** "5 minutes ago", "yesterday"; null for less than a minute */
  ago(time: number, now: number): string | null;
  /** For a narrow column: "5m ago", "14:05", "Fri", "13 Nov"; null for less than a minute */
  short(time: number, now: number): string | null;
}

export function createFormat(locale: string): Format {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const narrow = new Intl.RelativeTimeFormat(locale, { style: 'narrow' });
  const time = format({ timeStyle: 'short' });
  const full = format({ dateStyle: 'full', timeStyle: 'short' });
  const weekday = format({ weekday: 'short' });
  const dayThisYear = format({ weekday: 'long', day: 'numeric', month: 'long' });
  const dayOtherYear = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const shortThisYear = format({ day: 'numeric', month: 'short' });
  const shortOtherYear = format({ day: 'numeric', month: 'short', year: 'numeric' });
  const sameYear = (a: number, b: number) => new Date(a).getFullYear() === new Date(b).getFullYear();

  return {
    time: (at) => time.format(at),
    clock: (at) => {
      const parts = time.formatToParts(at).filter(({ type }) => type !== 'dayPeriod');
      return parts
        .map(({ value }) => value)
        .join('')
        .trim();
    },
    full: (at) => full.format(at),
    day(at, now) {
      const days = daysBetween(at, now);
      if (days === 0 || days === 1) return capitalised(relative.format(-days, 'day'), locale);
      return (sameYear(at, now) ? dayThisYear : dayOtherYear).format(at);
    },
    ago(at, now) {
      const age = now - at;
      if (age < MINUTE) return null;
      if (age < HOUR) return relative.format(-Math.floor(age / MINUTE), 'minute');
      if (age < 12 * HOUR) return relative.format(-Math.floor(age / HOUR), 'hour');
      const days = daysBetween(at, now);
      if (days < 7) return relative.format(-days, 'day');
      return (sameYear(at, now) ? shortThisYear : shortOtherYear).format(at);
    },
    short(at, now) {
      const age = now - at;
      if (age < MINUTE) return null;
      if (age < HOUR) return narrow.format(-Math.floor(age / MINUTE), 'minute');
      const days = daysBetween(at, now);
      if (days === 0) return time.format(at);
      if (days < 7) return weekday.format(at);
      return (sameYear(at, now) ? shortThisYear : shortOtherYear).format(at);
    },
  };
}

function capitalised(text: string, locale: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
