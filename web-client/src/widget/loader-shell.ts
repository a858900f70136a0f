// The button and the frame, in a shadow root that the page's styles do not reach.

import { STYLE } from './loader-style';

export interface ShellOptions {
  readonly tagName: string;
  readonly server: string;
  readonly label: string;
  readonly color: string;
  /** `left` or `right`; else where lines end. */
  readonly side: string;
  readonly pressed: () => void;
  /** The pointer or the focus is on the button. */
  readonly nearing: () => void;
}

export interface Shell {
  readonly button: HTMLButtonElement;
  readonly frame: HTMLIFrameElement;
  /** The colour of the page's choice, and what is readable on it. */
  readonly accent: { readonly back: string; readonly front: string } | null;
  /** There is something behind the button. */
  reveal(isOpen: boolean): void;
  show(isOpen: boolean): void;
  setUnread(count: number): void;
}

const SVG = 'http://www.w3.org/2000/svg';
const BUBBLE =
  'M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6v3.3l3.5-1.8c.7.1 1.4.2 2.2.2 5 0 9-3.4 9-7.7s-4-7.7-9-7.7Z';
const CROSS = 'm6.5 6.5 11 11m0-11-11 11';
const PHONE = '(max-width: 480px), (max-height: 480px)';

export function createShell(options: ShellOptions): Shell {
  let isOpen = false;
  let unread = 0;
  const host = document.createElement(options.tagName);
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const panel = document.createElement('div');
  panel.id = 'panel';
  panel.setAttribute('role', 'dialog');
  panel.setAttribute('aria-label', options.label);
  const frame = document.createElement('iframe');
  frame.title = options.label;
  frame.src = `${options.server}/widget`;
  panel.append(frame);

  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-haspopup', 'dialog');
  button.setAttribute('aria-controls', 'panel');
  const badge = document.createElement('span');
  badge.setAttribute('aria-hidden', 'true');
  button.append(icon(BUBBLE, 'chat'), icon(CROSS, 'cross'), badge);
  button.addEventListener('click', options.pressed);
  for (const name of ['pointerenter', 'focus']) button.addEventListener(name, options.nearing, { once: true });

  if (options.side === 'left' || options.side === 'right') host.classList.add(options.side);
  root.append(panel, button);
  root.addEventListener('keydown', (event) => {
    if (isOpen && event instanceof KeyboardEvent && event.key === 'Escape') options.pressed();
  });
  // Not into the body, which some pages replace as one goes from one to the next.
  document.documentElement.append(host);
  const accent = accentOf(button, options.color);
  if (accent) {
    button.style.setProperty('background-color', accent.back);
    button.style.setProperty('color', accent.front);
  }

  function name() {
    const count = unread > 0 ? `, ${unread} unread` : '';
    button.setAttribute('aria-label', isOpen ? `Close: ${options.label}` : options.label + count);
    button.setAttribute('aria-expanded', String(isOpen));
  }

  // A keyboard on the screen takes its place from what can be seen, not from the page.
  function stayInSight() {
    const view = window.visualViewport;
    const isCovered = isOpen && view && matchMedia(PHONE).matches && view.scale <= 1.01;
    panel.style.setProperty('height', isCovered ? `${view.height}px` : '');
    panel.style.setProperty('top', isCovered ? `${view.offsetTop}px` : '');
  }
  window.visualViewport?.addEventListener('resize', stayInSight);
  window.visualViewport?.addEventListener('scroll', stayInSight);

  function show(value: boolean) {
    isOpen = value;
    host.classList.toggle('open', isOpen);
    name();
    stayInSight();
    // Where there was the focus it would be lost.
    if (isOpen) frame.focus();
  }
  name();

  return {
    button,
    frame,
    accent,
    show,
    reveal: (value) => {
      host.classList.add('ready');
      if (value) show(true);
    },
    setUnread: (count) => {
      unread = count;
      badge.textContent = count > 9 ? '9+' : String(count);
      host.classList.toggle('unread', count > 0);
      name();
    },
  };
}

function icon(path: string, name: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const shape = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', name);
  svg.setAttribute('aria-hidden', 'true');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** A colour as the browser understands it, with black or white on it, whichever is easier to read. */
function accentOf(element: HTMLElement, color: string): Shell['accent'] {
  if (!color || !CSS.supports('color', color)) return null;
  element.style.color = color;
  const canvas = document.createElement('canvas').getContext('2d');
  if (!canvas) return null;
  canvas.fillStyle = getComputedStyle(element).color;
  canvas.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
  const linear = (value: number) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  // At 0.179 both have the same contrast.
  return { back: `rgb(${red}, ${green}, ${blue})`, front: light > 0.179 ? '#000' : '#fff' };
}
