import Linkify from 'linkify-react';
import { piecesOf, safeHref } from '../../ui/room/text';

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

/** A text with its addresses as links. */
export default function Links({ text }: { text: string }) {
  return piecesOf(text).map((piece, at) =>
    piece.isLinked ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text stays as it is
      <Linkify key={at} options={OPTIONS}>
        {piece.text}
      </Linkify>
    ) : (
      piece.text
    ),
  );
}
