// The surroundings of the widget's page. The library for sockets is fetched when there is something to connect for.

import { browserSignals, keptIn, newId, oneAtATime, openChannel } from '../client/browser-parts';
import type { CustomerEnvironment } from '../client/support/customer-environment';

export function widgetEnvironment(host: Pick<CustomerEnvironment, 'askToken' | 'tokenRefused'>): CustomerEnvironment {
  return {
    ...host,
    fetch: (path, init) => fetch(path, init),
    local: keptIn(() => window.localStorage),
    tab: keptIn(() => window.sessionStorage),
    channel: openChannel('confab.support'),
    openSocket: async (auth) => {
      const { io } = await import('socket.io-client');
      return io('/support', {
        auth: (give) => give(auth),
        transports: ['websocket', 'polling'],
        tryAllTransports: true,
        reconnection: false,
        forceNew: true,
      });
    },
    signals: browserSignals(),
    exclusively: oneAtATime('confab.support'),
    newId,
    random: Math.random,
  };
}
