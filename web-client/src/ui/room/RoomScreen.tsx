import { CloudAlert, DoorClosed, Lock } from 'lucide-react';
import { useState } from 'react';
import { type RoomHook, useDraft, useMe, useRoom } from '../../hooks';
import type { RoomId } from '../../protocol/generated/RoomId';
import { useStrings } from '../../strings';
import { AppDialog } from '../common/AppDialog';
import { Avatar } from '../common/Avatar';
import { Button } from '../common/Button';
import { LastSeen } from '../common/LastSeen';
import { Notice } from '../common/Notice';
import { RoomIcon } from '../common/RoomIcon';
import { setShowPeople, useShowPeople } from '../common/settings';
import { useMedia, WIDE } from '../common/use-media';
import { MAX_LISTED, PeoplePanel } from '../people/PeoplePanel';
import { navigate } from '../routes';
import { useTitle } from '../shell/title';
import { Composer } from './Composer';
import { LogSkeleton } from './LogSkeleton';
import { MessageList } from './MessageList';
import { RoomHeader } from './RoomHeader';
import styles from './RoomScreen.module.css';
import { TypingLine } from './TypingLine';
import { type RoomFace, useRoomFace } from './use-room-face';

export function RoomScreen({ roomId }: { roomId: RoomId }) {
  const strings = useStrings();
  const room = useRoom(roomId);
  const face = useRoomFace(room);
  const isWide = useMedia(WIDE);
  const showPeople = useShowPeople();
  const [isSheetOpen, setSheetOpen] = useState(false);
  useTitle(face.name || null);

  const isGone = room.phase === 'denied' || room.phase === 'missing' || room.phase === 'removed';
  const isOpen = isWide ? showPeople : isSheetOpen;
  const onToggle = () => (isWide ? setShowPeople(!showPeople) : setSheetOpen(!isSheetOpen));
  const panel = <PeoplePanel participants={room.participants} />;
  return (
    <div className={styles['screen']}>
      <div className={styles['room']}>
        <RoomHeader
          avatar={!isGone && <RoomAvatar roomId={roomId} face={face} />}
          name={face.name}
          detail={<Detail room={room} face={face} />}
          people={isGone ? undefined : { isOpen, onToggle }}
        />
        <Content room={room} face={face} />
      </div>
      {isWide && showPeople && !isGone && (
        <aside className={styles['people']} aria-label={strings.people.title}>
          <h2 className={styles['peopleTitle']}>{strings.people.title}</h2>
          {panel}
        </aside>
      )}
      {!isWide && (
        <AppDialog title={strings.people.title} kind="sheet" isOpen={isSheetOpen} onClose={() => setSheetOpen(false)}>
          {panel}
        </AppDialog>
      )}
    </div>
  );
}

function Content({ room, face }: { room: RoomHook; face: RoomFace }) {
  const strings = useStrings();
  const me = useMe();
  const text = strings.room;
  switch (room.phase) {
    case 'denied':
      return (
        <Notice
          icon={<Lock size={24} />}
          title={text.deniedTitle}
          text={me.is_guest ? text.deniedGuest : text.deniedText}
        >
          <Button onPress={() => navigate('/')}>{strings.shell.toStart}</Button>
        </Notice>
      );
    case 'missing':
      return (
        <Notice icon={<DoorClosed size={24} />} title={text.missingTitle} text={text.missingText}>
          <Button onPress={() => navigate('/')}>{strings.shell.toStart}</Button>
        </Notice>
      );
    case 'removed':
      return (
        <Notice icon={<DoorClosed size={24} />} title={text.removedTitle} text={text.removedText}>
          <Button onPress={() => navigate('/')}>{strings.shell.toStart}</Button>
        </Notice>
      );
    case 'failed':
      return (
        <Notice icon={<CloudAlert size={24} />} title={text.failedTitle} text={text.failedText}>
          <Button variant="primary" onPress={room.reload}>
            {strings.common.reload}
          </Button>
        </Notice>
      );
    case 'loading':
    case 'ready':
      return <Talk room={room} face={face} />;
  }
}

/** The messages, and where one writes. One can write before the room is there. */
function Talk({ room, face }: { room: RoomHook; face: RoomFace }) {
  const strings = useStrings();
  const me = useMe();
  const [draft, setDraft] = useDraft(room.room_id);
  const intro = face.kind === 'direct' ? strings.room.startDirect(face.name) : strings.room.start(face.name);
  const send = (text: string) => {
    room.send(text);
    room.setTyping(false);
    setDraft('');
  };
  const write = (text: string) => {
    setDraft(text);
    room.setTyping(text.trim() !== '');
  };
  return (
    <>
      {room.phase === 'loading' && room.outgoing.length === 0 ? (
        <LogSkeleton />
      ) : (
        <MessageList room={room} me={me} intro={intro} actions={room} onLoadOlder={room.loadOlder} />
      )}
      <TypingLine typing={room.typing} />
      <Composer text={draft} onText={write} onSend={send} name={face.name} retryAt={room.retry_at} />
    </>
  );
}

function RoomAvatar({ roomId, face }: { roomId: RoomId; face: RoomFace }) {
  if (face.kind === 'direct') {
    const presence = face.presence.online ? 'online' : 'offline';
    return <Avatar id={face.otherId ?? roomId} name={face.name} presence={presence} />;
  }
  return <Avatar id={roomId} name={face.name} icon={<RoomIcon kind={face.kind ?? 'public'} size={18} />} />;
}

function Detail({ room, face }: { room: RoomHook; face: RoomFace }) {
  const strings = useStrings();
  if (face.kind === null) return null;
  if (face.kind === 'direct') return <LastSeen presence={face.presence} />;
  const { participants } = room;
  if (!participants) return strings.room.detail(face.kind, null, 0, true);
  const online = participants.filter((participant) => participant.online).length;
  return strings.room.detail(face.kind, participants.length, online, participants.length < MAX_LISTED);
}
