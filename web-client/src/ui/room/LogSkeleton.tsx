import { useStrings } from '../../strings';
import styles from './LogSkeleton.module.css';

const LINES: readonly (readonly string[])[] = [['38%'], ['62%', '24%'], ['45%'], ['70%'], ['30%', '52%']];

/** Where the messages will be. It appears late: most rooms are there before. */
export function LogSkeleton() {
  const strings = useStrings();
  return (
    <div className={styles['log']} role="log" aria-label={strings.room.messages} aria-busy="true">
      {LINES.map((widths) => (
        <div key={widths.join()} className={styles['row']} aria-hidden="true">
          <span className={styles['face']} />
          <span className={styles['lines']}>
            <span className={styles['name']} />
            {widths.map((width) => (
              <span key={width} className={styles['line']} style={{ inlineSize: width }} />
            ))}
          </span>
        </div>
      ))}
    </div>
  );
}
