import type { ReactNode } from 'react';
import styles from './Notice.module.css';

interface NoticeProps {
  icon: ReactNode;
  title: string;
  text: string;
  children?: ReactNode;
  compact?: boolean;
}

/** What stands where content would be: nothing there yet, no access, an error. */
export function Notice({ icon, title, text, children, compact = false }: NoticeProps) {
  return (
    <div className={`${styles['notice']} ${compact ? styles['compact'] : ''}`}>
      <span className={styles['icon']} aria-hidden="true">
        {icon}
      </span>
      <h2 className={styles['title']}>{title}</h2>
      <p className={styles['text']}>{text}</p>
      {children && <div className={styles['actions']}>{children}</div>}
    </div>
  );
}
