import type { StoreApi } from 'zustand/vanilla';

/** A store as those see it who only look. */
export type Readable<T> = Pick<StoreApi<T>, 'getState' | 'getInitialState' | 'subscribe'>;
