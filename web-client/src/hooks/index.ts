export type { ConnectionState } from '../client/connection';
export type { Result } from '../client/result';
export type { Outgoing, RoomState } from '../client/room-state';
export type { SessionState, SignOutReason } from '../client/session';
export { ClientProvider } from './client';
export { useConversations, useUnreadTotal } from './conversations';
export { useNow } from './now';
export { usePresence, useUserName } from './people';
export { usePerson } from './person';
export { type RoomActions, type RoomHook, useDraft, useRoom, useRoomActions } from './rooms';
export {
  type SessionActions,
  useConnection,
  useHandoverProblem,
  useHasUnsent,
  useMe,
  useSession,
  useSessionActions,
} from './session';
