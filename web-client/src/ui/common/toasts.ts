import { createStore } from 'zustand/vanilla';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'danger' | 'info';
}

/** More would hide the page; the oldest goes. */
const MAX = 3;

let lastId = 0;

export const toasts = createStore<readonly Toast[]>(() => []);

export function toast(text: string, tone: Toast['tone'] = 'danger'): void {
  lastId += 1;
  const added: Toast = { id: lastId, text, tone };
  toasts.setState((shown) => [...shown.filter((other) => other.text !== text), added].slice(-MAX), true);
}

/** They are of whoever was signed in. */
export function clearToasts(): void {
  toasts.setState([], true);
}

export function dismissToast(id: number): void {
  toasts.setState((shown) => shown.filter((other) => other.id !== id), true);
}
