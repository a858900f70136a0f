/** Unicode scalar values, which is what the server counts. */
export function textLength(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

export const MAX_TEXT = 10_000;
/** From here on one is told how many are left. */
export const COUNT_FROM = 9_000;

const PICTURE = String.raw`\p{Extended_Pictographic}(?:\p{EMod}|\uFE0F)?`;
const EMOJI = String.raw`\p{RI}\p{RI}|[0-9#*]\uFE0F?\u20E3|${PICTURE}(?:\u200D${PICTURE})*[\u{E0020}-\u{E007F}]*`;
const ONLY_EMOJI = new RegExp(`^(?:${EMOJI})(?:\\s?(?:${EMOJI})){0,5}$`, 'u');
/** Six of the longest (families, flags of regions) are shorter. */
const MAX_EMOJI_TEXT = 100;

/** Up to six emoji and nothing else. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= MAX_EMOJI_TEXT && ONLY_EMOJI.test(text);
}

/** Finding addresses takes the square of the length of a word, and nobody follows one that is this long. */
const MAX_LINKED_WORD = 2_000;
const LONG_WORD = new RegExp(`(\\S{${MAX_LINKED_WORD + 1},})`, 'u');

/** The text in pieces: those in which addresses are looked for, and words that are too long for it. */
export function piecesOf(text: string): readonly { readonly text: string; readonly isLinked: boolean }[] {
  if (text.length <= MAX_LINKED_WORD) return [{ text, isLinked: true }];
  return text
    .split(LONG_WORD)
    .map((piece, at) => ({ text: piece, isLinked: at % 2 === 0 }))
    .filter((piece) => piece.text !== '');
}

const SAFE = new Set(['http:', 'https:', 'mailto:']);

/** The address if it may become a link, else null. */
export function safeHref(href: string): string | null {
  try {
    return SAFE.has(new URL(href).protocol) ? href : null;
  } catch {
    return null;
  }
}
