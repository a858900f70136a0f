import { createContext, Fragment, type ReactNode, useContext } from 'react';
import { useStore } from 'zustand';
import type { Chat } from '../client/chat';
import type { Client } from '../client/client';

const ClientContext = createContext<Client | null>(null);

export function ClientProvider({ client, children }: { client: Client; children: ReactNode }): ReactNode {
  // What an identity has left in components (texts, open dialogs) goes with it.
  const ended = useStore(client.state, (state) => state.ended);
  return (
    <ClientContext value={client}>
      <Fragment key={ended}>{children}</Fragment>
    </ClientContext>
  );
}

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('There is no <ClientProvider> around this component.');
  return client;
}

/** Inside signed_in only. */
export function useChat(): Chat {
  const chat = useStore(useClient().state, (state) => state.chat);
  if (!chat) throw new Error('This component is for people who are signed in.');
  return chat;
}
