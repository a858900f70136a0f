import { Compass, MessagesSquare, Plus, Search } from 'lucide-react';
import { useConversations, useMe } from '../../hooks';
import { useStrings } from '../../strings';
import { Button } from '../common/Button';
import { Notice } from '../common/Notice';
import { navigate } from '../routes';
import type { DialogName } from './Shell';

export function NothingOpen({ onDialog }: { onDialog: (dialog: DialogName) => void }) {
  const strings = useStrings();
  const me = useMe();
  const { phase, conversations } = useConversations();
  if (phase === 'loading') return null;
  const emptyText = me.is_guest ? strings.shell.emptyGuest : strings.shell.emptyText;
  const isNew = conversations.length === 0;
  return (
    <Notice
      icon={<MessagesSquare size={26} />}
      title={isNew ? strings.shell.emptyTitle : strings.shell.nothingTitle}
      text={isNew ? emptyText : strings.shell.nothingText}
    >
      <StartButtons onDialog={onDialog} />
    </Notice>
  );
}

export function StartButtons({ onDialog }: { onDialog: (dialog: DialogName) => void }) {
  const strings = useStrings();
  return (
    <>
      <Button onPress={() => onDialog('find')}>
        <Search size={16} aria-hidden="true" />
        {strings.shell.findSomething}
      </Button>
      <Button onPress={() => onDialog('newRoom')}>
        <Plus size={16} aria-hidden="true" />
        {strings.shell.makeRoom}
      </Button>
    </>
  );
}

export function UnknownPlace() {
  const strings = useStrings();
  return (
    <Notice icon={<Compass size={26} />} title={strings.shell.notFoundTitle} text={strings.shell.notFoundText}>
      <Button onPress={() => navigate('/')}>{strings.shell.toStart}</Button>
    </Notice>
  );
}
