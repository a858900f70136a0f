export type ConnectionState =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live' }
  /** `retry_at` null: trying right now */
  | { readonly phase: 'reconnecting'; readonly attempt: number; readonly retry_at: number | null }
  /** The browser says that there is no network. */
  | { readonly phase: 'offline' };
