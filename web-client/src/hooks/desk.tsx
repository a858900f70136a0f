import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import type { ConnectionState } from '../client/connection';
import { createDesk, type Desk, type DeskRoom, type DeskState } from '../client/support/desk';
import { unreadTotal } from '../client/support/desk-state';
import type { Talk } from '../client/support/messages';
import type { RoomId } from '../protocol/generated/RoomId';
import { useChat } from './client';

const DeskContext = createContext<Desk | null>(null);

/** Inside signed_in only. The desk is opened once for each identity, and stays open until that ends. */
export function DeskProvider({ children }: { children: ReactNode }): ReactNode {
  const chat = useChat();
  const desk = useMemo(() => chat.companion(createDesk), [chat]);
  return <DeskContext value={desk}>{children}</DeskContext>;
}

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('There is no <DeskProvider> around this component.');
  return desk;
}

export function useDeskState<T>(select: (state: DeskState) => T): T {
  return useStore(useDesk().state, select);
}

export function useDeskUnread(): number {
  return useDeskState(unreadTotal);
}

export function useDeskConnection(): ConnectionState & { reconnectNow(): void } {
  const { connection } = useDesk();
  const state = useStore(connection.state);
  return useMemo(() => ({ ...state, reconnectNow: () => connection.reconnectNow() }), [state, connection]);
}

export type DeskRoomHook = Talk & Omit<DeskRoom, 'state' | 'open'>;

/** A support room that is on screen. */
export function useDeskRoom(roomId: RoomId): DeskRoomHook {
  const desk = useDesk();
  const room = useMemo(() => desk.room(roomId), [desk, roomId]);
  useEffect(() => room.open(), [room]);
  const talk = useStore(room.state);
  return useMemo(() => {
    const { send, retry, discard, loadOlder, reload, setTyping } = room;
    return { ...talk, send, retry, discard, loadOlder, reload, setTyping };
  }, [talk, room]);
}

export function useDeskDraft(roomId: RoomId): readonly [string, (text: string) => void] {
  const { drafts } = useDesk();
  const text = useStore(drafts.state, (texts) => texts.get(roomId) ?? '');
  const set = useCallback((newText: string) => drafts.set(roomId, newText), [drafts, roomId]);
  return [text, set];
}
