import Linkify from 'linkify-react';
import { memo } from 'react';
import { isEmojiOnly, piecesOf, safeHref } from '../../ui/room/text';
import styles from './Log.module.css';

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
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {content}
      </a>
    );
  },
};

export const LinkedText = memo(function LinkedText({ text }: { text: string }) {
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
