// What the page that embeds the widget and the widget's own page say to each other. Each side takes messages only from
// the window and the origin that it expects; neither can reach into the other.

/** Marks our messages among all others that pages send about. */
export const TAG = 'confab-widget';

export interface Look {
  /** A colour and what is readable on it. */
  readonly accent: { readonly back: string; readonly front: string } | null;
  readonly theme: 'light' | 'dark' | null;
  readonly label: string | null;
}

export type ToFrame =
  /** The answer to `hello`. */
  | {
      readonly type: 'init';
      readonly look: Look;
      readonly name: string;
      readonly email: string;
      readonly token: string | null;
      readonly isOpen: boolean;
      readonly hasTokenSource: boolean;
    }
  | { readonly type: 'opened' }
  | { readonly type: 'closed' }
  /** It will probably be opened in a moment. */
  | { readonly type: 'warm' }
  | { readonly type: 'sign_in'; readonly token: string }
  | { readonly type: 'sign_out' }
  | { readonly type: 'token_source' }
  | { readonly type: 'token'; readonly id: number; readonly token: string | null };

export type ToHost =
  /** To whoever embeds us: says nothing, and asks who that is. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready' }
  | { readonly type: 'unread'; readonly count: number }
  | { readonly type: 'close' }
  | { readonly type: 'token_needed'; readonly id: number }
  | { readonly type: 'token_refused'; readonly reason: string };

export const wrap = <T extends ToFrame | ToHost>(message: T) => ({ confab: TAG, ...message });

/** The message if it is one of ours, and of the right side: that was seen to by origin and window. */
export function unwrap<T extends ToFrame | ToHost>(data: unknown): T | null {
  const isOurs = typeof data === 'object' && data !== null && 'confab' in data && data.confab === TAG && 'type' in data;
  return isOurs ? (data as unknown as T) : null;
}
