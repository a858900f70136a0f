// What a customer needs of the surroundings, beside the page that shows the widget.

import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Channel, Environment, Kept, Signals } from '../environment';
import type { OpenSupportSocket } from './customer-socket';

export interface CustomerEnvironment {
  readonly fetch: Environment['fetch'];
  readonly local: Kept;
  readonly tab: Kept;
  readonly channel: Channel;
  readonly openSocket: OpenSupportSocket;
  readonly signals: Signals;
  readonly exclusively: Environment['exclusively'];
  readonly newId: () => string;
  readonly random: () => number;
  /** Asks the site for a fresh token; null: it has none. */
  readonly askToken: () => Promise<string | null>;
  /** The site gave a token that is no good. */
  readonly tokenRefused: (error: ErrorBody) => void;
}
