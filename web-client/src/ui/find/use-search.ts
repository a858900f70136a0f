import { useEffect, useState } from 'react';
import type { Result } from '../../hooks';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';

const PAUSE_MS = 150;

export interface Search<T> {
  /** null: nothing was found out yet */
  readonly found: readonly T[] | null;
  readonly error: ErrorBody | null;
  /** Whether this is the answer to the text as it stands, and not to the one before. */
  readonly isCurrent: boolean;
}

interface Answer<T> extends Pick<Search<T>, 'found' | 'error'> {
  readonly query: string | null;
}

/** What `search` finds for the text as it stands; what was found before stays until then. */
export function useSearch<T>(
  search: (query: string) => Promise<Result<readonly T[]>>,
  query: string,
  isOn: boolean,
): Search<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ query: null, found: null, error: null });
  useEffect(() => {
    if (!isOn) return;
    let isWanted = true;
    const timer = setTimeout(async () => {
      const result = await search(query);
      if (!isWanted) return;
      setAnswer(result.ok ? { query, found: result.value, error: null } : { query, found: null, error: result.error });
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [search, query, isOn]);
  return { found: answer.found, error: answer.error, isCurrent: isOn && answer.query === query };
}

/** Enter means what is found for the text as it stands: pressed before that is known, it waits. */
export function useEnter(query: string, isCurrent: boolean, act: () => void): () => void {
  const [pressedFor, setPressedFor] = useState<string | null>(null);
  const isDue = pressedFor === query && isCurrent;
  useEffect(() => {
    if (!isDue) return;
    setPressedFor(null);
    act();
  });
  return () => setPressedFor(query);
}
