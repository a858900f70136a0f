import type { ReactNode, Ref } from 'react';
import { FieldError } from 'react-aria-components/FieldError';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Text } from 'react-aria-components/Text';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import styles from './Field.module.css';

interface FieldProps extends Omit<TextFieldProps, 'className' | 'style' | 'children' | 'isInvalid'> {
  label: string;
  hint?: string | undefined;
  error?: string | null;
  /** Stands at the end, inside the frame. */
  end?: ReactNode;
  inputRef?: Ref<HTMLInputElement>;
}

export function Field({ label, hint, error = null, end, inputRef, ...props }: FieldProps) {
  return (
    <TextField {...props} isInvalid={error !== null} className={styles['field'] ?? ''} validationBehavior="aria">
      <Label className={styles['label'] ?? ''}>{label}</Label>
      <div className={styles['frame']}>
        <Input className={styles['input'] ?? ''} {...(inputRef ? { ref: inputRef } : {})} />
        {end}
      </div>
      {hint && error === null && (
        <Text slot="description" className={styles['hint'] ?? ''}>
          {hint}
        </Text>
      )}
      <FieldError className={styles['error'] ?? ''}>{error}</FieldError>
    </TextField>
  );
}
