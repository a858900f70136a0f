import { Hash, Headset, Lock, MessageCircle } from 'lucide-react';
import type { RoomKind } from '../../protocol/generated/RoomKind';

const ICONS = { public: Hash, private: Lock, support: Headset, direct: MessageCircle } as const;

export function RoomIcon({ kind, size }: { kind: RoomKind; size: number }) {
  const Icon = ICONS[kind];
  return <Icon size={size} aria-hidden="true" />;
}
