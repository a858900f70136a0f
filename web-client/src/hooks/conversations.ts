import { useMemo } from 'react';
import { useStore } from 'zustand';
import type { ConversationsState } from '../client/conversations';
import { useChat } from './client';

export function useConversations(): ConversationsState & { reload(): void } {
  const { conversations } = useChat();
  const state = useStore(conversations.state);
  return useMemo(() => ({ ...state, reload: () => conversations.reload() }), [state, conversations]);
}

export function useUnreadTotal(): number {
  return useStore(useChat().conversations.state, ({ conversations }) =>
    conversations.reduce((sum, conversation) => sum + conversation.unread_count, 0),
  );
}
