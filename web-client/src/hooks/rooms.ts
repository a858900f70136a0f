import { useCallback, useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import type { Chat } from '../client/chat';
import type { RoomHandle } from '../client/room';
import type { RoomState } from '../client/room-state';
import type { RoomId } from '../protocol/generated/RoomId';
import { useChat } from './client';

export type RoomHook = RoomState & Omit<RoomHandle, 'state' | 'open'>;

/**
 * A room that is on screen. Lists keep their identity as long as their content is the same (a typing event changes
 * `typing` alone), so components that are given one list and are memoised render for that list only.
 */
export function useRoom(roomId: RoomId): RoomHook {
  const chat = useChat();
  const room = useMemo(() => chat.room(roomId), [chat, roomId]);
  useEffect(() => room.open(), [room]);
  const state = useStore(room.state);
  return useMemo(() => {
    const { send, retry, discard, loadOlder, reload, setTyping } = room;
    return { ...state, send, retry, discard, loadOlder, reload, setTyping };
  }, [state, room]);
}

/** What is written and not sent yet, kept per user and room over reloads. */
export function useDraft(roomId: RoomId): readonly [string, (text: string) => void] {
  const { drafts } = useChat();
  const text = useStore(drafts.state, (texts) => texts.get(roomId) ?? '');
  const set = useCallback((newText: string) => drafts.set(roomId, newText), [drafts, roomId]);
  return [text, set];
}

export type RoomActions = Pick<Chat, 'createRoom' | 'messageUser' | 'searchUsers' | 'searchRooms'>;

export function useRoomActions(): RoomActions {
  return useChat();
}
