import { useStrings } from '../../strings';
import { Logo } from '../common/Logo';
import styles from './Starting.module.css';

/** Until it is known who is here. It appears late: mostly it is known at once. */
export function Starting() {
  const strings = useStrings();
  return (
    <main className={styles['page']} aria-busy="true" aria-label={strings.common.loading}>
      <Logo size={56} />
    </main>
  );
}
