// Inside of the shadow root; `!important` here goes before everything that the page says of the host element.

export const STYLE = `
:host {
  all: initial !important;
  position: static !important;
  display: block !important;
  color-scheme: light dark !important;
  font: 600 12px/1 system-ui, sans-serif !important;
}
:host(:not(.ready)) { visibility: hidden !important; }
@media print { :host { display: none !important; } }
button, #panel {
  position: fixed;
  inset-inline-end: max(20px, env(safe-area-inset-right));
  z-index: 2147483000;
}
:host(.left) button, :host(.left) #panel { inset-inline: auto; left: max(20px, env(safe-area-inset-left)); }
:host(.right) button, :host(.right) #panel { inset-inline: auto; right: max(20px, env(safe-area-inset-right)); }
button {
  bottom: max(20px, env(safe-area-inset-bottom));
  width: 56px;
  height: 56px;
  padding: 0;
  border: 0;
  border-radius: 50%;
  background: #0b6b5d;
  color: #fff;
  box-shadow: 0 2px 6px #0003, 0 8px 24px #0003;
  cursor: pointer;
  touch-action: manipulation;
  -webkit-tap-highlight-color: transparent;
  transition: transform .15s;
}
button:hover { transform: scale(1.05); }
button:active { transform: scale(.96); }
button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; box-shadow: 0 0 0 3px #1b6ef3; }
svg {
  position: absolute;
  inset: 14px;
  width: 28px;
  height: 28px;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.9;
  stroke-linecap: round;
  stroke-linejoin: round;
  transition: opacity .15s, transform .15s;
}
:host(:not(.open)) .cross { opacity: 0; transform: rotate(-45deg); }
:host(.open) .chat { opacity: 0; transform: scale(.6); }
span {
  position: absolute;
  top: -3px;
  right: -3px;
  min-width: 20px;
  height: 20px;
  padding: 0 5px;
  box-sizing: border-box;
  border-radius: 10px;
  background: #c62828;
  color: #fff;
  font: 700 12px/20px system-ui, sans-serif;
  text-align: center;
}
:host(:not(.unread)) span, :host(.open) span { display: none; }
#panel {
  bottom: max(92px, calc(env(safe-area-inset-bottom) + 92px));
  width: 392px;
  height: min(680px, calc(100vh - 112px));
  border-radius: 16px;
  overflow: hidden;
  background: light-dark(#fff, #1b1e1d);
  box-shadow: 0 4px 12px #0000001f, 0 16px 48px #0003, 0 0 0 1px light-dark(#0000000f, #ffffff1f);
  transition: opacity .18s, transform .18s, visibility 0s;
}
:host(:not(.open)) #panel {
  visibility: hidden;
  opacity: 0;
  transform: translateY(12px);
  transition-delay: 0s, 0s, .18s;
}
iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
@media (max-width: 480px), (max-height: 480px) {
  #panel, :host(.left) #panel, :host(.right) #panel { inset: 0; width: 100%; height: 100vh; height: 100dvh; border-radius: 0; }
  :host(.open) button { visibility: hidden; }
}
@media (prefers-reduced-motion: reduce) {
  button, svg, #panel { transition: none !important; transform: none !important; }
}
@media (forced-colors: active) {
  button { border: 2px solid ButtonText; }
  #panel { border: 1px solid CanvasText; }
}
`;
