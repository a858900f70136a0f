import { type KeyboardEvent, type RefObject, useLayoutEffect } from 'react';
import type { CustomerConversation } from '../../client/support/customer-conversation';
import { useNow } from '../../hooks/now';
import { isComposing } from '../../ui/common/keys';
import { TOUCH, useMedia } from '../../ui/common/use-media';
import { COUNT_FROM, MAX_TEXT, textLength } from '../../ui/room/text';
import { strings } from '../strings';
import styles from './Composer.module.css';
import { SendIcon } from './icons';

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement | null>;
  conversation: CustomerConversation;
  draft: string;
  retryAt: number | null;
  /** Something is being written: it is time to connect. */
  onBegin: () => void;
}

export function Composer({ field, conversation, draft, retryAt, onBegin }: ComposerProps) {
  const isTouch = useMedia(TOUCH);
  const length = draft.length > COUNT_FROM ? textLength(draft.trim()) : draft.length;
  const canSend = draft.trim() !== '' && length <= MAX_TEXT;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what changes the height
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.blockSize = 'auto';
    element.style.blockSize = `${element.scrollHeight}px`;
  }, [field, draft]);

  const send = () => {
    field.current?.focus();
    if (!canSend) return;
    onBegin();
    conversation.send(draft);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || isTouch || isComposing(event)) return;
    event.preventDefault();
    send();
  };

  return (
    <div className={styles['composer']}>
      <div className={styles['frame']}>
        <textarea
          ref={field}
          className={styles['field']}
          rows={1}
          aria-label={strings.composer.label}
          aria-describedby="hint"
          aria-invalid={length > MAX_TEXT}
          placeholder={strings.composer.placeholder}
          enterKeyHint={isTouch ? 'enter' : 'send'}
          dir="auto"
          value={draft}
          onChange={(event) => {
            if (event.target.value.trim() !== '') onBegin();
            conversation.setDraft(event.target.value);
          }}
          onKeyDown={onKeyDown}
        />
        <button
          type="button"
          className={styles['send']}
          aria-label={strings.composer.send}
          aria-disabled={!canSend}
          // The field keeps the focus, and a phone its keyboard.
          onPointerDown={(event) => event.preventDefault()}
          onClick={send}
        >
          <SendIcon />
        </button>
      </div>
      <p className={styles['hint']} id="hint">
        <Hint length={length} retryAt={retryAt} />
      </p>
    </div>
  );
}

function Hint({ length, retryAt }: { length: number; retryAt: number | null }) {
  const now = useNow(retryAt === null ? 60_000 : 1000);
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  if (length > MAX_TEXT) return <span className={styles['wrong']}>{strings.composer.tooLong(length - MAX_TEXT)}</span>;
  if (seconds > 0) return <span className={styles['limited']}>{strings.composer.limited(seconds)}</span>;
  if (length > COUNT_FROM) return <span>{strings.composer.left(MAX_TEXT - length)}</span>;
  return null;
}
