import { useUserName } from '../../hooks';
import type { UserId } from '../../protocol/generated/UserId';
import { useStrings } from '../../strings';
import styles from './TypingLine.module.css';

/** Its place is always there, so that nothing moves when somebody begins to type. */
export function TypingLine({ typing }: { typing: readonly UserId[] }) {
  const strings = useStrings();
  const first = useUserName(typing[0] ?? '');
  const second = useUserName(typing[1] ?? '');
  // No more than two are named: of the others only the number counts.
  const names = typing.map((_, at) => (at === 0 ? first : second));
  return (
    <div className={styles['line']} role="status" aria-label={strings.typing.region}>
      {typing.length > 0 && (
        <>
          <span className={styles['dots']} aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span className={styles['text']}>{strings.typing.line(names)}</span>
        </>
      )}
    </div>
  );
}
