import { Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import styles from './Banner.module.css';

export function Banner({ tone, children }: { tone: 'danger' | 'info'; children: ReactNode }) {
  const Icon = tone === 'danger' ? TriangleAlert : Info;
  return (
    <div className={`${styles['banner']} ${styles[tone]}`} role={tone === 'danger' ? 'alert' : 'status'}>
      <Icon size={16} className={styles['icon'] ?? ''} aria-hidden="true" />
      <span>{children}</span>
    </div>
  );
}
