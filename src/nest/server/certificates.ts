import type { SecureContextOptions } from 'node:tls';
import type { Connector } from '../../core/connector.js';
import { invalidOption } from '../../core/options.js';
import { exchange } from '../../core/net/secure-context.js';

/** A connector whose certificates can be exchanged, such as a `NetConnector`. */
interface Securable {
  setSecureContext(options: SecureContextOptions): void;
}

/** What has been exchanged of a server's certificates: a connector ends with `close`, and this does not. */
export class Certificates {
  #exchanged: SecureContextOptions = {};

  /**
   * Exchanges certificates of a connector, and of those after it.
   * @throws PikeError `PIKE_ERR_INVALID_OPTION`; then nothing is exchanged
   */
  exchange(connector: Connector<unknown>, options: SecureContextOptions): void {
    if (!isSecurable(connector)) {
      throw invalidOption('PikeServer', 'connector', 'has no setSecureContext');
    }
    connector.setSecureContext(options);
    this.#exchanged = exchange(this.#exchanged, options);
  }

  /** Gives a new connector what has been exchanged before. @returns the connector */
  bringTo<C extends Connector<unknown>>(connector: C): C {
    if (isSecurable(connector) && Object.keys(this.#exchanged).length > 0) {
      connector.setSecureContext(this.#exchanged);
    }
    return connector;
  }
}

function isSecurable(connector: object): connector is Securable {
  return typeof (connector as Partial<Securable>).setSecureContext === 'function';
}
