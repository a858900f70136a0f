import { useLayoutEffect, useState } from 'react';
import { roomPath } from '../../client/room-path';
import { useConversations, useMe, usePresence, useRoomActions, useUserName } from '../../hooks';
import type { Conversation } from '../../protocol/generated/Conversation';
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
  const { messageUser } = useRoomActions();
  const { conversations } = useConversations();
  const name = useUserName(userId);
  const presence = usePresence(userId);
  const [text, setText] = useState('');
  const [isSending, setSending] = useState(false);
  const [retryAt, setRetryAt] = useState<number | null>(null);
  const existing = useDirectRoom(conversations, userId);
  useTitle(name);

  useLayoutEffect(() => {
    if (existing) navigate(roomPath(existing.room_id), { replace: true });
  }, [existing]);

  const send = async (message: string) => {
    setSending(true);
    const result = await messageUser(userId, message);
    setSending(false);
    if (result.ok) {
      navigate(roomPath(result.value), { replace: true });
      return;
    }
    const { retry_after_ms } = result.error;
    if (retry_after_ms !== undefined) setRetryAt(Date.now() + retry_after_ms);
    toast(strings.error(result.error));
  };

  return (
    <div className={styles['screen']}>
      <RoomHeader
        avatar={<Avatar id={userId} name={name} presence={presence.online ? 'online' : 'offline'} />}
        name={name}
        detail={<LastSeen presence={presence} />}
      />
      <div className={styles['middle']}>
        <Avatar id={userId} name={name} size="large" />
        <p className={styles['text']}>{strings.room.personText(name)}</p>
      </div>
      <TypingLine typing={NOBODY} />
      <Composer text={text} onText={setText} onSend={send} name={name} retryAt={retryAt} isSending={isSending} />
    </div>
  );
}

function useDirectRoom(conversations: readonly Conversation[], userId: UserId): Conversation | undefined {
  const me = useMe();
  return conversations.find(
    ({ kind, participants }) =>
      kind === 'direct' && userId !== me.id && participants.some((participant) => participant.id === userId),
  );
}
