import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { useStrings } from '../../strings';
import { IconButton } from './Button';
import styles from './Toasts.module.css';
import { clearToasts, dismissToast, type Toast, toasts } from './toasts';

const SHOWN_MS = 6_000;

/** What an action had to say and no other place on the screen says. */
export function Toasts() {
  const strings = useStrings();
  const shown = useStore(toasts);
  useEffect(() => clearToasts, []);
  return (
    <section className={styles['region']} aria-label={strings.notifications.region} aria-live="polite">
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function ToastCard({ toast }: { toast: Toast }) {
  const strings = useStrings();
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => dismissToast(toast.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [toast.id, isHeld]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: holding it is a comfort; the button does what is needed
    <div
      className={`${styles['toast']} ${styles[toast.tone]}`}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span className={styles['text']}>{toast.text}</span>
      <IconButton small label={strings.notifications.dismiss} onPress={() => dismissToast(toast.id)}>
        <X size={16} aria-hidden="true" />
      </IconButton>
    </div>
  );
}
