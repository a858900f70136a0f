import { SendHorizontal } from 'lucide-react';
import { type KeyboardEvent, useLayoutEffect, useRef } from 'react';
import { useNow } from '../../hooks';
import { useStrings } from '../../strings';
import { IconButton } from '../common/Button';
import { isComposing } from '../common/keys';
import { TOUCH, useMedia } from '../common/use-media';
import styles from './Composer.module.css';
import { EmojiButton } from './EmojiButton';
import { COMPOSER_ID } from './focus';
import { COUNT_FROM, MAX_TEXT, textLength } from './text';

interface ComposerProps {
  text: string;
  onText: (text: string) => void;
  onSend: (text: string) => void;
  /** Of the room or the person that is written to. */
  name: string;
  retryAt: number | null;
  isSending?: boolean;
  /** Whether what is sent while it has to wait goes out by itself. */
  hasOutbox?: boolean;
}

export function Composer({ text, onText, onSend, name, retryAt, isSending = false, hasOutbox = true }: ComposerProps) {
  const strings = useStrings();
  const field = useRef<HTMLTextAreaElement>(null);
  const isTouch = useMedia(TOUCH);
  const length = text.length > COUNT_FROM ? textLength(text.trim()) : text.length;
  const canSend = text.trim() !== '' && length <= MAX_TEXT && !isSending;
  useGrowth(field, text);
  useLayoutEffect(() => {
    if (!isTouch) field.current?.focus({ preventScroll: true });
  }, [isTouch]);

  const send = () => {
    field.current?.focus();
    if (canSend) onSend(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || isTouch || isComposing(event)) return;
    event.preventDefault();
    send();
  };
  const insert = (piece: string) => {
    const element = field.current;
    if (!element) return;
    element.setRangeText(piece, element.selectionStart, element.selectionEnd, 'end');
    onText(element.value);
    element.focus();
  };

  return (
    <div className={styles['composer']}>
      <div className={styles['frame']}>
        <textarea
          ref={field}
          id={COMPOSER_ID}
          className={styles['field']}
          rows={1}
          aria-label={strings.composer.label}
          aria-describedby="composer-hint"
          aria-invalid={length > MAX_TEXT}
          placeholder={strings.composer.placeholder(name)}
          enterKeyHint={isTouch ? 'enter' : 'send'}
          dir="auto"
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <div className={styles['buttons']}>
          <EmojiButton onEmoji={insert} />
          <IconButton
            label={strings.composer.send}
            variant={canSend ? 'primary' : 'quiet'}
            onPress={send}
            isDisabled={!canSend}
            preventFocusOnPress
          >
            <SendHorizontal size={18} aria-hidden="true" />
          </IconButton>
        </div>
      </div>
      <div className={styles['hint']} id="composer-hint">
        <Hint length={length} retryAt={retryAt} isTouch={isTouch} hasOutbox={hasOutbox} />
      </div>
    </div>
  );
}

interface HintProps extends Required<Pick<ComposerProps, 'retryAt' | 'hasOutbox'>> {
  length: number;
  isTouch: boolean;
}

function Hint({ length, retryAt, isTouch, hasOutbox }: HintProps) {
  const strings = useStrings();
  const now = useNow(retryAt === null ? 60_000 : 1000);
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  if (length > MAX_TEXT) {
    return <span className={styles['tooLong']}>{strings.composer.tooLong(length - MAX_TEXT)}</span>;
  }
  if (seconds > 0) {
    const text = hasOutbox ? strings.composer.limited(seconds) : strings.composer.limitedFirst(seconds);
    return <span className={styles['limited']}>{text}</span>;
  }
  if (length > COUNT_FROM) return <span>{strings.composer.left(MAX_TEXT - length)}</span>;
  return isTouch ? null : <span className={styles['keys']}>{strings.composer.hint}</span>;
}

/** As high as its text; the style sheet says where that ends. */
function useGrowth(field: { current: HTMLTextAreaElement | null }, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what changes the height
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.blockSize = 'auto';
    element.style.blockSize = `${element.scrollHeight}px`;
  }, [field, text]);
}
