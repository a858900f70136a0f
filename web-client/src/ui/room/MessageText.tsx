import Linkify from 'linkify-react';
import { memo } from 'react';
import styles from './MessageText.module.css';
import { isEmojiOnly, piecesOf, safeHref } from './text';

interface LinkParts {
  attributes: Record<string, string>;
  content: string;
}

const OPTIONS = {
  defaultProtocol: 'https',
  render({ attributes, content }: LinkParts) {
    const href = safeHref(attributes['href'] ?? '');
    if (href === null) return <span>{content}</span>;
    return (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" className={styles['link']}>
        {content}
      </a>
    );
  },
};

export const MessageText = memo(function MessageText({ text }: { text: string }) {
  return (
    <div className={`${styles['text']} ${isEmojiOnly(text) ? styles['emoji'] : ''}`} dir="auto" data-testid="text">
      {piecesOf(text).map((piece, at) =>
        piece.isLinked ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a text stays as it is
          <Linkify key={at} options={OPTIONS}>
            {piece.text}
          </Linkify>
        ) : (
          piece.text
        ),
      )}
    </div>
  );
});
