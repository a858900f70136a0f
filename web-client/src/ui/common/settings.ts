import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';

// What this browser remembers of how the client looks. Without storage (it can be forbidden) it lasts until a reload.

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'confab.look';

interface Look {
  readonly theme: Theme;
  readonly showPeople: boolean;
}

function load(): Look {
  const look: Look = { theme: 'system', showPeople: true };
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    if (typeof stored !== 'object' || stored === null) return look;
    const theme = 'theme' in stored && (stored.theme === 'light' || stored.theme === 'dark') ? stored.theme : 'system';
    return { theme, showPeople: !('showPeople' in stored && stored.showPeople === false) };
  } catch {
    return look;
  }
}

const look = createStore<Look>(load);

function applyTheme({ theme }: Look): void {
  const root = document.documentElement;
  if (theme === 'system') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', theme);
}

applyTheme(look.getState());
look.subscribe((state) => {
  applyTheme(state);
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // It lasts until the reload.
  }
});

export const useTheme = (): Theme => useStore(look, (state) => state.theme);
export const setTheme = (theme: Theme): void => look.setState({ theme });
export const useShowPeople = (): boolean => useStore(look, (state) => state.showPeople);
export const setShowPeople = (showPeople: boolean): void => look.setState({ showPeople });
