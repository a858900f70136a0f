const RENEW_MS = 4000;
const SILENCE_MS = 5000;

export interface TypingNotice {
  set(isTyping: boolean): void;
  /** The connection is gone or the room was left: nothing is told, and nothing is owed. */
  forget(): void;
}

/** Tells that I type: at most every 4 s while I do, and that I stopped after 5 s of silence. */
export function createTypingNotice(tell: (isTyping: boolean) => void): TypingNotice {
  let toldAt: number | null = null;
  let silence: ReturnType<typeof setTimeout> | undefined;

  function forget() {
    clearTimeout(silence);
    toldAt = null;
  }

  function stop() {
    if (toldAt === null) return;
    forget();
    tell(false);
  }

  return {
    forget,
    set: (isTyping) => {
      if (!isTyping) return stop();
      clearTimeout(silence);
      silence = setTimeout(stop, SILENCE_MS);
      if (toldAt !== null && Date.now() - toldAt < RENEW_MS) return;
      toldAt = Date.now();
      tell(true);
    },
  };
}
