import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import { useStrings } from '../../strings';
import { Logo } from '../common/Logo';
import styles from './Starting.module.css';

/** Until it is known who is here. It appears late: mostly it is known at once. */
export function Starting({ problem }: { problem: ErrorBody | null }) {
  const strings = useStrings();
  return (
    <main className={styles['page']} aria-busy="true" aria-label={strings.common.loading}>
      <div className={styles['middle']}>
        <Logo size={56} />
        <p className={styles['problem']} role="status">
          {problem && strings.starting.problem(strings.error(problem))}
        </p>
      </div>
    </main>
  );
}
