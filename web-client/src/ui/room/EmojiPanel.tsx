import { EmojiPicker, type EmojiPickerListComponents } from 'frimousse';
import { useStrings } from '../../strings';
import styles from './EmojiPanel.module.css';

// The picker counts from 0, ARIA from 1. It looks rows up by their number, so of these only the one that is wrong goes.
const rowIndex = (index: number | undefined) => ({ 'aria-rowindex': index || undefined });
const columnIndex = (index: number | undefined) => ({ 'aria-colindex': index === undefined ? undefined : index + 1 });

const COMPONENTS: EmojiPickerListComponents = {
  CategoryHeader: ({ category, ...props }) => (
    <div {...props} className={styles['category']}>
      {category.label}
    </div>
  ),
  Row: (props) => <div {...props} {...rowIndex(props['aria-rowindex'])} className={styles['row']} />,
  Emoji: ({ emoji, ...props }) => (
    <button
      {...props}
      {...columnIndex(props['aria-colindex'])}
      type="button"
      className={`${styles['emoji']} ${emoji.isActive ? styles['active'] : ''}`}
    >
      {emoji.emoji}
    </button>
  ),
};

/** Loaded when it is first opened. */
export default function EmojiPanel({ onEmoji }: { onEmoji: (emoji: string) => void }) {
  const strings = useStrings();
  return (
    <EmojiPicker.Root
      className={styles['root']}
      emojibaseUrl={__EMOJI_DATA__}
      locale="en"
      columns={9}
      onEmojiSelect={({ emoji }) => onEmoji(emoji)}
    >
      <div className={styles['top']}>
        <EmojiPicker.Search
          className={styles['search']}
          placeholder={strings.emoji.search}
          aria-label={strings.emoji.search}
          autoFocus
        />
        <EmojiPicker.SkinToneSelector className={styles['tone']} aria-label={strings.emoji.skinTone} />
      </div>
      <EmojiPicker.Viewport className={styles['viewport']}>
        <EmojiPicker.Loading className={styles['note']}>{strings.emoji.searching}</EmojiPicker.Loading>
        <EmojiPicker.Empty className={styles['note']}>{({ search }) => strings.emoji.none(search)}</EmojiPicker.Empty>
        <EmojiPicker.List className={styles['list']} components={COMPONENTS} />
      </EmojiPicker.Viewport>
    </EmojiPicker.Root>
  );
}
