import type { ReactNode, Ref } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';
import styles from './Button.module.css';

type Base = Omit<AriaButtonProps, 'className' | 'style' | 'children'> & { ref?: Ref<HTMLButtonElement> };

export interface ButtonProps extends Base {
  variant?: 'primary' | 'secondary' | 'quiet';
  small?: boolean;
  children: ReactNode;
}

export function Button({ variant = 'secondary', small = false, children, ...props }: ButtonProps) {
  return (
    <AriaButton {...props} className={`${styles['button']} ${styles[variant]} ${small ? styles['small'] : ''}`}>
      {children}
    </AriaButton>
  );
}

export interface IconButtonProps extends Base {
  label: string;
  variant?: 'primary' | 'quiet';
  small?: boolean;
  className?: string | undefined;
  children: ReactNode;
}

/** A button that shows an icon only: its name stands in a tooltip. */
export function IconButton({
  label,
  variant = 'quiet',
  small = false,
  className = '',
  children,
  ...props
}: IconButtonProps) {
  return (
    <TooltipTrigger delay={600}>
      <AriaButton
        {...props}
        aria-label={label}
        className={`${styles['button']} ${styles['icon']} ${styles[variant]} ${small ? styles['small'] : ''} ${className}`}
      >
        {children}
      </AriaButton>
      <Tooltip className={styles['tooltip'] ?? ''} offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
