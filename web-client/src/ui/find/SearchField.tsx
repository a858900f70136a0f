import { Search } from 'lucide-react';
import { isComposing } from '../common/keys';
import styles from './SearchField.module.css';

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  onEnter: () => void;
  autoFocus?: boolean;
}

export function SearchField({ label, value, onChange, onEnter, autoFocus = true }: SearchFieldProps) {
  return (
    <div className={styles['frame']}>
      <Search size={18} aria-hidden="true" className={styles['icon'] ?? ''} />
      <input
        type="search"
        className={styles['input']}
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        // biome-ignore lint/a11y/noAutofocus: the dialog was opened to search
        autoFocus={autoFocus}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || isComposing(event)) return;
          // A form around it is not sent by a search.
          event.preventDefault();
          onEnter();
        }}
      />
    </div>
  );
}
