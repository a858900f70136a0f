import { useEffect, useState } from 'react';
import type { Result } from '../../hooks';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';

const PAUSE_MS = 150;

export interface Search<T> {
  /** null: nothing was found out yet */
  readonly found: readonly T[] | null;
  readonly error: ErrorBody | null;
}

/** What `search` finds for the text as it stands; what was found before stays until then. */
export function useSearch<T>(
  search: (query: string) => Promise<Result<readonly T[]>>,
  query: string,
  isOn: boolean,
): Search<T> {
  const [state, setState] = useState<Search<T>>({ found: null, error: null });
  useEffect(() => {
    if (!isOn) return;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const result = await search(query);
      if (!isCurrent) return;
      setState(
        result.ok ? { found: result.value, error: null } : (before) => ({ found: before.found, error: result.error }),
      );
    }, PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [search, query, isOn]);
  return state;
}
