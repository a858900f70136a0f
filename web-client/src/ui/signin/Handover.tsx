import { useSessionActions } from '../../hooks';
import type { User } from '../../protocol/generated/User';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
import { Logo } from '../common/Logo';
import styles from './SignIn.module.css';

/** A link wants to make somebody else of who is signed in: that is theirs to say. */
export function Handover({ current, next }: { current: User; next: User }) {
  const strings = useStrings();
  const { acceptHandover, declineHandover } = useSessionActions();
  const text = strings.handover;
  return (
    <main className={styles['page']}>
      <div className={styles['card']}>
        <header className={styles['header']}>
          <Logo size={48} />
          <h1 className={styles['title']}>{text.title(next.username)}</h1>
          <p className={styles['tagline']}>{text.text(current.username)}</p>
        </header>
        <Button variant="primary" onPress={declineHandover} autoFocus>
          {text.decline(current.username)}
        </Button>
        <Button onPress={acceptHandover}>{text.accept(next.username)}</Button>
      </div>
    </main>
  );
}
