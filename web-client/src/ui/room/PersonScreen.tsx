import { useLayoutEffect, useRef, useState } from 'react';
import { roomPath } from '../../client/room-path';
import { useConversations, useDraft, useMe, usePerson, useRoomActions } from '../../hooks';
import type { Conversation } from '../../protocol/generated/Conversation';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { UserId } from '../../protocol/generated/UserId';
import { useStrings } from '../../strings';
import { Avatar } from '../common/Avatar';
import { LastSeen } from '../common/LastSeen';
import { toast } from '../common/toasts';
import { navigate } from '../routes';
import { useTitle } from '../shell/title';
import { Composer } from './Composer';
import styles from './PersonScreen.module.css';
import { RoomHeader } from './RoomHeader';
import { TypingLine } from './TypingLine';

const NOBODY: readonly UserId[] = [];

/** Somebody whom one has not written with yet: the first message makes the direct room, and leads there. */
export function PersonScreen({ userId }: { userId: UserId }) {
  const strings = useStrings();
  const { conversations } = useConversations();
  const { name, presence } = usePerson(userId);
  const [madeRoom, setMadeRoom] = useState<RoomId>();
  const existing = useDirectRoom(conversations, userId);
  const [text, setText] = usePersonDraft(userId, existing?.room_id ?? madeRoom);
  const { send, isSending, retryAt } = useFirstMessage(userId, text, setText, setMadeRoom);
  useTitle(name);

  return (
    <div className={styles['screen']}>
      <RoomHeader
        avatar={<Avatar id={userId} name={name ?? ''} presence={presence ? toDot(presence) : undefined} />}
        name={name ?? ''}
        detail={presence && <LastSeen presence={presence} />}
      />
      <div className={styles['middle']}>
        <Avatar id={userId} name={name ?? ''} size="large" />
        <p className={styles['text']}>{strings.room.personText(name)}</p>
      </div>
      <TypingLine typing={NOBODY} />
      <Composer
        text={text}
        onText={setText}
        onSend={send}
        name={name ?? ''}
        retryAt={retryAt}
        isSending={isSending}
        hasOutbox={false}
      />
    </div>
  );
}

const toDot = ({ online }: { readonly online: boolean }) => (online ? 'online' : 'offline');

/** What is written before there is a room; it goes along into the room, whoever makes it. */
function usePersonDraft(userId: UserId, roomId: RoomId | undefined): readonly [string, (text: string) => void] {
  const [text, setText] = useDraft(`person:${JSON.stringify(userId)}`);
  // Without a room the second one is never looked at.
  const [roomText, setRoomText] = useDraft(roomId ?? '');
  useLayoutEffect(() => {
    if (roomId === undefined) return;
    if (text !== '') {
      setRoomText(roomText === '' ? text : `${roomText}\n${text}`);
      setText('');
    }
    navigate(roomPath(roomId), { replace: true });
  }, [roomId, text, setText, roomText, setRoomText]);
  return [text, setText];
}

function useFirstMessage(
  userId: UserId,
  text: string,
  setText: (text: string) => void,
  onRoom: (roomId: RoomId) => void,
) {
  const strings = useStrings();
  const { messageUser } = useRoomActions();
  const [isSending, setSending] = useState(false);
  const [retryAt, setRetryAt] = useState<number | null>(null);
  const written = useRef(text);
  useLayoutEffect(() => {
    written.current = text;
  }, [text]);

  const send = async (message: string) => {
    setSending(true);
    // The room can be there before the answer is: what is on its way is no draft of it.
    setText('');
    const result = await messageUser(userId, message);
    setSending(false);
    // Whoever has gone elsewhere meanwhile is not taken away from there: there is no component then.
    if (result.ok) return onRoom(result.value);
    setText(written.current === '' ? message : `${message}\n${written.current}`);
    const { retry_after_ms } = result.error;
    if (retry_after_ms !== undefined) setRetryAt(Date.now() + retry_after_ms);
    toast(strings.error(result.error));
  };
  return { send, isSending, retryAt };
}

function useDirectRoom(conversations: readonly Conversation[], userId: UserId): Conversation | undefined {
  const me = useMe();
  return conversations.find(
    ({ kind, participants }) =>
      kind === 'direct' && userId !== me.id && participants.some((participant) => participant.id === userId),
  );
}
