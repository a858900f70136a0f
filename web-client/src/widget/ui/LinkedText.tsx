import { type ComponentType, lazy, memo, Suspense } from 'react';
import { isEmojiOnly } from '../../ui/room/text';
import styles from './Log.module.css';

/** What finds addresses knows all of the world's domains, and most texts have none. */
const Links = lazy<ComponentType<{ text: string }>>(() =>
  import('./Links').catch(() => ({ default: ({ text }) => text })),
);
const MAY_HAVE_LINKS = /[^\s]\.[^\s]|:\/\/|@/u;

export const LinkedText = memo(function LinkedText({ text }: { text: string }) {
  return (
    <div className={`${styles['text']} ${isEmojiOnly(text) ? styles['emoji'] : ''}`} dir="auto" data-testid="text">
      {MAY_HAVE_LINKS.test(text) ? (
        <Suspense fallback={text}>
          <Links text={text} />
        </Suspense>
      ) : (
        text
      )}
    </div>
  );
});
