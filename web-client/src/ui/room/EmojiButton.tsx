import { Smile } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import { useStrings } from '../../strings';
import { IconButton } from '../common/Button';
import { ErrorBoundary } from '../common/ErrorBoundary';
import { Spinner } from '../common/Spinner';
import styles from './EmojiButton.module.css';

const EmojiPanel = lazy(() => import('./EmojiPanel'));

export function EmojiButton({ onEmoji }: { onEmoji: (emoji: string) => void }) {
  const strings = useStrings();
  const [isOpen, setOpen] = useState(false);
  const choose = (emoji: string) => {
    setOpen(false);
    // The popover gives the focus back to its button when it has closed; the text field is where it belongs.
    setTimeout(() => onEmoji(emoji), 60);
  };
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <IconButton label={strings.composer.emoji}>
        <Smile size={20} aria-hidden="true" />
      </IconButton>
      <Popover placement="top end" className={styles['popover'] ?? ''} offset={8}>
        <Dialog className={styles['dialog'] ?? ''} aria-label={strings.emoji.choose}>
          <ErrorBoundary fallback={<p className={styles['note']}>{strings.emoji.failed}</p>}>
            <Suspense
              fallback={
                <div className={styles['note']}>
                  <Spinner label={strings.common.loading} />
                </div>
              }
            >
              <EmojiPanel onEmoji={choose} />
            </Suspense>
          </ErrorBoundary>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
