import type { CSSProperties, ReactNode } from 'react';
import styles from './Avatar.module.css';

/** A colour that stays with an id (FNV-1a). The type counts: 7 and "7" are two users. */
function hueOf(id: number | string): number {
  let hash = 0x811c9dc5;
  for (const char of `${typeof id}:${id}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  // The low bits alone are alike for ids that are alike.
  return ((hash ^ (hash >>> 15)) % 24) * 15;
}

/** The first letters of the first and the last word. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = words[0] ?? name;
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  const letter = (word: string) => [...word].find((char) => /[\p{L}\p{N}]/u.test(char)) ?? [...word][0] ?? '?';
  return (letter(first) + (last ? letter(last) : '')).toLocaleUpperCase();
}

interface AvatarProps {
  id: number | string;
  name: string;
  size?: 'small' | 'medium' | 'large';
  /** Shown in place of initials: rooms have a sign of their kind. */
  icon?: ReactNode;
  presence?: 'online' | 'offline' | undefined;
}

/** For the eye only: whoever shows it says the name in words beside it. */
export function Avatar({ id, name, size = 'medium', icon, presence }: AvatarProps) {
  return (
    <span className={`${styles['frame']} ${styles[size]}`} aria-hidden="true">
      <span
        className={`${styles['face']} ${icon ? styles['room'] : ''}`}
        style={{ '--hue': hueOf(id) } as CSSProperties}
        // The style sheet shows them: as text they would belong to the words of the button or link that they are in.
        data-initials={icon ? undefined : initialsOf(name)}
      >
        {icon}
      </span>
      {presence && <span className={`${styles['dot']} ${styles[presence]}`} />}
    </span>
  );
}
