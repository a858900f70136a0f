import { CircleCheck, CloudAlert, DoorClosed } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { isRead } from '../../client/support/messages';
import { useMe } from '../../hooks';
import { type DeskRoomHook, useDesk, useDeskDraft, useDeskRoom, useDeskState } from '../../hooks/desk';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { Message } from '../../protocol/generated/Message';
import type { RoomId } from '../../protocol/generated/RoomId';
import { useStrings } from '../../strings';
import { useStaffStrings } from '../../strings/staff';
import { Button } from '../common/Button';
import { Notice } from '../common/Notice';
import { toast } from '../common/toasts';
import { Composer } from '../room/Composer';
import { focusComposerSoon } from '../room/focus';
import { LogSkeleton } from '../room/LogSkeleton';
import { MessageList } from '../room/MessageList';
import { navigate } from '../routes';
import { ActivityLine } from './ActivityLine';
import { CustomerHeader } from './CustomerHeader';
import styles from './CustomerScreen.module.css';
import { useEscape } from './list-keys';

export function CustomerScreen({ roomId }: { roomId: RoomId }) {
  const strings = useStaffStrings();
  const talk = useDeskRoom(roomId);
  const room = useDeskState((state) => state.rooms.get(roomId)) ?? null;
  const isGone = talk.phase === 'missing' || talk.phase === 'denied';
  const wasThere = useRef(false);
  useEffect(() => {
    if (talk.phase === 'ready') wasThere.current = true;
    if (!isGone || !wasThere.current) return;
    toast(strings.gone, 'info');
    navigate('/staff', { replace: true });
  }, [talk.phase, isGone, strings]);

  useEscape();
  return (
    <div className={styles['screen']}>
      {isGone ? (
        <Notice icon={<DoorClosed size={24} />} title={strings.missingTitle} text={strings.missingText}>
          <Button onPress={() => navigate('/staff')}>{strings.toList}</Button>
        </Notice>
      ) : (
        <>
          <CustomerHeader room={room} />
          <Conversation talk={talk} room={room} />
        </>
      )}
    </div>
  );
}

interface ConversationProps {
  talk: DeskRoomHook;
  room: CustomerRoom | null;
}

function Conversation({ talk, room }: ConversationProps) {
  const strings = useStaffStrings();
  const { room: texts, common } = useStrings();
  const me = useMe();
  const wasOpen = useWasOpen(room);
  const { read_by } = talk;
  const markOf = useCallback(
    (message: Message) => {
      if (message.sender_type !== 'staff') return null;
      return isRead({ read_by }, message) ? 'read' : 'sent';
    },
    [read_by],
  );
  if (talk.phase === 'failed') {
    return (
      <Notice icon={<CloudAlert size={24} />} title={texts.failedTitle} text={texts.failedText}>
        <Button variant="primary" onPress={talk.reload}>
          {common.reload}
        </Button>
      </Notice>
    );
  }
  return (
    <>
      {talk.phase === 'ready' ? (
        <MessageList
          room={talk}
          me={me}
          intro={strings.start(room?.customer_name ?? '')}
          actions={talk}
          onLoadOlder={talk.loadOlder}
          markOf={markOf}
          sender="staff"
        />
      ) : (
        <LogSkeleton />
      )}
      <ActivityLine roomId={talk.room_id} />
      {room?.status === 'closed' ? (
        <Closed isFresh={wasOpen} />
      ) : (
        <Answer talk={talk} name={room?.customer_name ?? ''} />
      )}
    </>
  );
}

/** Whether the conversation was open since it came on screen. */
function useWasOpen(room: CustomerRoom | null): boolean {
  const [wasOpen, setWasOpen] = useState(false);
  const isOpen = room !== null && room.status !== 'closed';
  useEffect(() => {
    if (isOpen) setWasOpen(true);
  }, [isOpen]);
  return wasOpen;
}

function Answer({ talk, name }: { talk: DeskRoomHook; name: string }) {
  const desk = useDesk();
  const [draft, setDraft] = useDeskDraft(talk.room_id);
  const isStale = useDeskState((state) => state.stale.has(talk.room_id));
  const send = (text: string) => {
    desk.setAside(talk.room_id);
    talk.send(text);
    setDraft('');
  };
  const write = (text: string) => {
    setDraft(text);
    talk.setTyping(text.trim() !== '');
  };
  return (
    <>
      {isStale && draft.trim() !== '' && (
        <Stale
          onSend={() => {
            send(draft);
            focusComposerSoon();
          }}
          onEdit={() => {
            desk.setAside(talk.room_id);
            focusComposerSoon();
          }}
        />
      )}
      <Composer
        text={draft}
        onText={write}
        onSend={send}
        name={name}
        retryAt={talk.retry_at}
        // Nobody answers what they have not seen.
        isSending={talk.phase !== 'ready'}
      />
    </>
  );
}

/** Somebody has written in the meantime: an answer that does not know it is not sent unasked. */
function Stale({ onSend, onEdit }: { onSend: () => void; onEdit: () => void }) {
  const strings = useStaffStrings();
  return (
    <div className={styles['stale']} role="alert">
      <div className={styles['staleWords']}>
        <strong>{strings.staleTitle}</strong>
        <span>{strings.staleText}</span>
      </div>
      <div className={styles['staleButtons']}>
        <Button small onPress={onEdit}>
          {strings.staleEdit}
        </Button>
        <Button small variant="primary" onPress={onSend}>
          {strings.staleSend}
        </Button>
      </div>
    </div>
  );
}

/** Overlays give the focus back to what opened them once they are gone: it can be had only after that. */
const OVERLAY_GONE_MS = 60;

function Closed({ isFresh }: { isFresh: boolean }) {
  const strings = useStaffStrings();
  const words = useRef<HTMLParagraphElement>(null);
  // What had the focus has gone with the conversation.
  useEffect(() => {
    if (!isFresh) return;
    const timer = setTimeout(() => {
      if (!document.activeElement || document.activeElement === document.body) words.current?.focus();
    }, OVERLAY_GONE_MS);
    return () => clearTimeout(timer);
  }, [isFresh]);
  return (
    <p ref={words} className={styles['closed']} tabIndex={-1}>
      <CircleCheck size={16} aria-hidden="true" />
      {strings.closed}
    </p>
  );
}
