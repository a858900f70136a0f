import './widget.css';
import { StrictMode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import type { Customer } from '../../client/support/customer';
import { Widget } from './Widget';

export interface WidgetOptions {
  readonly label: string | null;
  readonly close: () => void;
}

export function mount(customer: Customer, options: WidgetOptions): void {
  const root = document.getElementById('root');
  if (!root) return;
  // At once, so that there is something that can have the focus.
  flushSync(() =>
    createRoot(root).render(
      <StrictMode>
        <Widget customer={customer} {...options} />
      </StrictMode>,
    ),
  );
}
