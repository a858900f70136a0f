import { ChevronDown, CircleCheck, UserRound } from 'lucide-react';
import { useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import { useMe } from '../../hooks';
import { useDesk } from '../../hooks/desk';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { UserId } from '../../protocol/generated/UserId';
import { useStrings } from '../../strings';
import { useStaffStrings } from '../../strings/staff';
import { AppDialog } from '../common/AppDialog';
import { Avatar } from '../common/Avatar';
import { Button } from '../common/Button';
import { toast } from '../common/toasts';
import { RoomHeader } from '../room/RoomHeader';
import dialog from '../shell/GuestSignInDialog.module.css';
import menu from '../shell/UserMenu.module.css';
import styles from './CustomerHeader.module.css';

export function CustomerHeader({ room }: { room: CustomerRoom | null }) {
  if (!room) return <RoomHeader avatar={null} name="" detail={null} list="/staff" />;
  const { customer_id, customer_name, is_online, status } = room;
  const presence = status === 'closed' ? undefined : is_online ? 'online' : 'offline';
  return (
    <RoomHeader
      avatar={<Avatar id={customer_id} name={customer_name} presence={presence} />}
      name={customer_name}
      detail={<Detail room={room} />}
      list="/staff"
    >
      {status !== 'closed' && (
        <>
          <Assignee room={room} />
          <Close room={room} />
        </>
      )}
    </RoomHeader>
  );
}

function Detail({ room: { customer_email, is_guest, is_online, status } }: { room: CustomerRoom }) {
  const strings = useStaffStrings();
  const { common } = useStrings();
  const presence = is_online ? common.online : common.offline;
  const words = [status === 'closed' ? strings.tabs.closed : presence, ...(is_guest ? [strings.guest] : [])];
  return (
    <>
      {customer_email !== null && (
        <>
          <a href={`mailto:${encodeURIComponent(customer_email).replace('%40', '@')}`} className={styles['email']}>
            <bdi>{customer_email}</bdi>
          </a>
          {' · '}
        </>
      )}
      {words.join(' · ')}
    </>
  );
}

function Assignee({ room: { id, assigned_to, assigned_name } }: { room: CustomerRoom }) {
  const strings = useStaffStrings();
  const { error } = useStrings();
  const me = useMe();
  const desk = useDesk();
  const isMine = assigned_to === me.id;
  const name = isMine ? strings.you : (assigned_name ?? '');
  const label = strings.assignee(assigned_to === null ? null : name);
  const assign = async (userId: UserId | null) => {
    const result = await desk.assign(id, userId);
    if (!result.ok) toast(strings.assignFailed(error(result.error)));
  };
  return (
    <DialogTrigger>
      <AriaButton className={styles['assignee'] ?? ''} aria-label={label}>
        <UserRound size={16} aria-hidden="true" />
        <bdi className={styles['assigneeName']}>{assigned_to === null ? strings.nobody : name}</bdi>
        <ChevronDown size={14} aria-hidden="true" className={styles['chevron'] ?? ''} />
      </AriaButton>
      <Popover placement="bottom end" className={`${menu['popover']} ${styles['popover']}`} offset={4}>
        <Dialog className={menu['menu'] ?? ''} aria-label={label}>
          {({ close }) => (
            <>
              {!isMine && (
                <AriaButton
                  className={menu['item'] ?? ''}
                  onPress={() => {
                    close();
                    void assign(me.id);
                  }}
                >
                  {assigned_to === null ? strings.assign : strings.takeOver(name)}
                </AriaButton>
              )}
              {assigned_to !== null && (
                <AriaButton
                  className={menu['item'] ?? ''}
                  onPress={() => {
                    close();
                    void assign(null);
                  }}
                >
                  {strings.unassign}
                </AriaButton>
              )}
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Close({ room: { id, customer_name } }: { room: CustomerRoom }) {
  const strings = useStaffStrings();
  const { common, error } = useStrings();
  const desk = useDesk();
  const [isOpen, setOpen] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const close = async () => {
    setBusy(true);
    const result = await desk.close(id);
    setBusy(false);
    setOpen(false);
    if (!result.ok) toast(strings.closeFailed(error(result.error)));
  };
  return (
    <>
      <Button small onPress={() => setOpen(true)} aria-label={strings.closeLabel}>
        <CircleCheck size={16} aria-hidden="true" />
        <span className={styles['closeWord']}>{strings.close}</span>
      </Button>
      <AppDialog title={strings.closeTitle(customer_name)} isOpen={isOpen} onClose={() => setOpen(false)}>
        <div className={dialog['body']}>
          <p className={dialog['text']}>{strings.closeText}</p>
          <Button variant="primary" isPending={isBusy} onPress={close} autoFocus>
            {strings.closeConfirm}
          </Button>
          <Button onPress={() => setOpen(false)}>{common.cancel}</Button>
        </div>
      </AppDialog>
    </>
  );
}
