import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Dialog, Heading } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { useStrings } from '../../strings';
import styles from './AppDialog.module.css';
import { IconButton } from './Button';

interface AppDialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  /** sheet: from the side on wide screens, from below on phones */
  kind?: 'dialog' | 'sheet';
  children: ReactNode;
}

export function AppDialog({ title, isOpen, onClose, kind = 'dialog', children }: AppDialogProps) {
  const strings = useStrings();
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
      className={`${styles['overlay']} ${styles[kind]}`}
    >
      <Modal className={styles['modal'] ?? ''}>
        <Dialog className={styles['content'] ?? ''}>
          <header className={styles['header']}>
            <Heading slot="title" className={styles['title'] ?? ''}>
              {title}
            </Heading>
            <IconButton label={strings.common.close} onPress={onClose} small>
              <X size={18} aria-hidden="true" />
            </IconButton>
          </header>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
