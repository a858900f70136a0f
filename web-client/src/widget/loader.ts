// What a page loads to have the support widget: a button, and a frame of the server's own origin in which everything else
// happens. It keeps out of the page's way: a shadow root, style sheets that a strict policy allows, no markup out of
// texts, one name (`Confab`) on the window.

import { createApi, type Listeners } from './loader-api';
import { createShell, type Shell } from './loader-shell';
import { type ToFrame, type ToHost, unwrap, wrap } from './wire';

const script = document.currentScript ?? document.querySelector('script[src*="/widget.js"]');
const TAG_NAME = 'confab-support';
/** A frame that was refused has "loaded" too. After so long without a word it will not say one. */
const ANSWER_MS = 8000;
const TOKEN_MS = 20_000;

function start({ src, dataset }: HTMLScriptElement) {
  const server = new URL(src).origin;
  const listeners: Listeners = new Map();
  /** What is said before the frame listens. */
  const waiting: ToFrame[] = [];
  let shell: Shell | null = null;
  let isReady = false;
  let isOpen = false;
  let unread = 0;
  let token = dataset['token'] || null;
  let tokenSource: (() => unknown) | null = null;

  const tell = (name: string, value?: unknown) => {
    for (const listener of listeners.get(name) ?? []) listener(value);
  };

  function send(message: ToFrame) {
    if (isReady) shell?.frame.contentWindow?.postMessage(wrap(message), server);
    else waiting.push(message);
  }

  function setOpen(value: boolean) {
    if (value === isOpen) return;
    isOpen = value;
    shell?.show(isOpen);
    send({ type: isOpen ? 'opened' : 'closed' });
    tell(isOpen ? 'open' : 'close');
  }

  async function giveToken(id: number) {
    let fresh: unknown = null;
    try {
      const late = new Promise((resolve) => setTimeout(resolve, TOKEN_MS, null));
      fresh = tokenSource ? await Promise.race([tokenSource(), late]) : null;
    } catch (error) {
      warn('onTokenNeeded failed:', error);
    }
    send({ type: 'token', id, token: typeof fresh === 'string' ? fresh : null });
  }

  const handlers: { [Type in ToHost['type']]: (message: Extract<ToHost, { type: Type }>) => void } = {
    hello: () => {
      if (!shell) return;
      isReady = true;
      const look = { accent: shell.accent, theme: themeOf(dataset['theme']), label: dataset['label'] || null };
      const name = dataset['name'] ?? '';
      const email = dataset['email'] ?? '';
      send({ type: 'init', look, name, email, token, isOpen, hasTokenSource: tokenSource !== null });
    },
    ready: () => {
      shell?.reveal(isOpen);
      for (const message of waiting.splice(0)) send(message);
      tell('ready');
    },
    unread: ({ count }) => {
      unread = count;
      shell?.setUnread(count);
      tell('unread', count);
    },
    close: () => {
      setOpen(false);
      shell?.button.focus();
    },
    token_needed: ({ id }) => void giveToken(id),
    token_refused: ({ reason }) => warn(`the server refused the token: ${reason}`),
  };

  addEventListener('message', ({ data, source, origin }: MessageEvent) => {
    if (!shell || origin !== server || source !== shell.frame.contentWindow) return;
    const message = unwrap<ToHost>(data);
    if (message) (handlers[message.type] as ((message: ToHost) => void) | undefined)?.(message);
  });

  function mount() {
    if (shell) return;
    shell = createShell({
      tagName: TAG_NAME,
      server,
      label: dataset['label'] || 'Chat with us',
      color: dataset['color'] || '',
      side: dataset['position'] || '',
      pressed: () => setOpen(!isOpen),
      nearing: () => send({ type: 'warm' }),
    });
    if (isOpen) shell.show(true);
    shell.frame.addEventListener('load', () => setTimeout(check, ANSWER_MS));
  }

  function check() {
    if (isReady) return;
    warn(
      `${server}/widget does not answer. If the browser has refused to show it in a frame, ` +
        `name "${location.origin}" in the server's setting frame_ancestors.`,
    );
  }

  createApi(
    {
      open: () => {
        mount();
        setOpen(true);
      },
      close: () => setOpen(false),
      signIn: (value: string) => {
        token = value;
        // Before that, it goes along with `init`.
        if (isReady) send({ type: 'sign_in', token: value });
      },
      signOut: () => {
        token = null;
        mount();
        send({ type: 'sign_out' });
      },
      onTokenNeeded: (source: () => unknown) => {
        tokenSource = source;
        if (isReady) send({ type: 'token_source' });
      },
    },
    listeners,
    () => ({ unread, isReady }),
  );

  // The page comes first.
  const idle = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 200));
  const whenIdle = () => idle(mount, { timeout: 2000 });
  if (document.readyState === 'complete') whenIdle();
  else addEventListener('load', whenIdle, { once: true });
}

const themeOf = (value: string | undefined): 'light' | 'dark' | null =>
  value === 'light' || value === 'dark' ? value : null;

function warn(...words: unknown[]) {
  // biome-ignore lint/suspicious/noConsole: it is the one way to tell whoever builds the page
  console.warn('Confab:', ...words);
}

// Twice on a page is once.
if (
  script instanceof HTMLScriptElement &&
  !document.querySelector(TAG_NAME) &&
  !(window as { Confab?: { open?: unknown } }).Confab?.open
) {
  start(script);
}
