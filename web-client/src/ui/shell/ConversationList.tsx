import type { KeyboardEvent } from 'react';
import { useConversations, useMe } from '../../hooks';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
import type { Place } from '../routes';
import styles from './ConversationList.module.css';
import { ConversationRow } from './ConversationRow';
import { StartButtons } from './Empty';
import type { DialogName } from './Shell';

interface ConversationListProps {
  place: Place;
  onDialog: (dialog: DialogName) => void;
}

export function ConversationList({ place, onDialog }: ConversationListProps) {
  const strings = useStrings();
  const me = useMe();
  const { phase, conversations, reload } = useConversations();
  const openId = place.name === 'room' ? place.roomId : undefined;
  return (
    <div className={styles['scroller']} aria-busy={phase === 'loading'}>
      {phase === 'loading' && conversations.length === 0 && <Skeleton />}
      {phase === 'failed' && (
        <div className={styles['note']}>
          <p>{strings.shell.failed}</p>
          <Button small onPress={reload}>
            {strings.common.retry}
          </Button>
        </div>
      )}
      {phase === 'ready' && conversations.length === 0 && (
        <div className={`${styles['note']} ${styles['empty']}`}>
          <p>{me.is_guest ? strings.shell.emptyGuest : strings.shell.emptyText}</p>
          <div className={styles['phoneOnly']}>
            <StartButtons onDialog={onDialog} />
          </div>
        </div>
      )}
      {/* Safari takes the role from a list without bullets. */}
      {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
      <ul role="list" aria-label={strings.shell.conversations} className={styles['list']} onKeyDown={moveFocus}>
        {conversations.map((conversation) => (
          <ConversationRow
            key={`${typeof conversation.room_id}:${conversation.room_id}`}
            conversation={conversation}
            isOpen={conversation.room_id === openId}
            isFromList={place.name === 'start'}
          />
        ))}
      </ul>
    </div>
  );
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = links[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

const SKELETON_ROWS = ['70%', '55%', '80%', '45%', '65%'];

export function Skeleton() {
  return (
    <div aria-hidden="true" className={styles['skeleton']}>
      {SKELETON_ROWS.map((width) => (
        <div key={width} className={styles['ghost']}>
          <span className={styles['ghostFace']} />
          <span className={styles['ghostLine']} style={{ inlineSize: width }} />
        </div>
      ))}
    </div>
  );
}
