/** Letters that are written from right to left, and marks that turn what follows. */
const TURNS =
  /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Marks that would end the isolation, or go on behind it. */
const LEAVES = /[\u2066-\u2069\u2028\u2029\r\n]/gu;

/**
 * A name that stands in a sentence, isolated (U+2068 to U+2069): it turns nothing around it. A name that turns nothing
 * stays as it is.
 */
export function isolated(name: string): string {
  return TURNS.test(name) ? `\u2068${name.replace(LEAVES, '')}\u2069` : name;
}
