import { useEffect, useState } from 'react';

/** Two letters on a colour that is always the same for the same id. */
export function Avatar({ id, name, online }) {
  // Steps of the golden angle: neighbouring ids get colours far apart.
  const hue = (137.5 * [...String(id)].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 4093, 0)) % 360;
  const words = String(name).trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)].map((word) => [...word][0]) : [...words[0]].slice(0, 2);
  return (
    <span className="avatar" style={{ '--hue': hue }} data-online={online} aria-hidden="true">
      {letters.join('').toUpperCase()}
    </span>
  );
}

export const clock = (timestamp) => new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

export const day = (timestamp) =>
  new Date(timestamp).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });

/** Today's time, else the date. */
export const when = (timestamp) =>
  day(timestamp) === day(Date.now())
    ? clock(timestamp)
    : new Date(timestamp).toLocaleDateString([], { day: 'numeric', month: 'short' });

/** Whole seconds left until a time, counted down to 0. */
export function useCountdown(until) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    if (until <= Date.now()) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return Math.max(0, Math.ceil((until - now) / 1000));
}
