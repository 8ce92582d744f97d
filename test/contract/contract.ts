import { describe } from '@jest/globals';
import type { Transport } from '../support/transports/transport.js';
import { accepting } from './accepting.contract.js';
import { backPressure } from './back-pressure.contract.js';
import { connectWaiting } from './connect-waiting.contract.js';
import { connections } from './connections.contract.js';
import { connecting } from './connecting.contract.js';
import { disconnecting } from './disconnecting.contract.js';
import { faults } from './faults.contract.js';
import { faultyDeserializers } from './faulty-deserializers.contract.js';
import { faultySerializers } from './faulty-serializers.contract.js';
import { halfOpen } from './half-open.contract.js';
import { hostilePeers } from './hostile-peers.contract.js';
import { leavingWhileWaiting } from './leaving-while-waiting.contract.js';
import { lingering } from './lingering.contract.js';
import { listeners } from './listeners.contract.js';
import { orderOfEvents } from './order-of-events.contract.js';
import { randomSequences } from './random-sequences.contract.js';
import { receiving } from './receiving.contract.js';
import { remoteDisconnect } from './remote-disconnect.contract.js';
import { sending } from './sending.contract.js';
import { separateQueues } from './separate-queues.contract.js';
import { shuttingDown } from './shutting-down.contract.js';
import { starting } from './starting.contract.js';
import { states } from './states.contract.js';
import { uncertainty } from './uncertain.contract.js';
import { waitingDeserializers } from './waiting-deserializers.contract.js';

const PARTS: Readonly<Record<string, (transport: Transport) => void>> = {
  starting,
  states,
  faults,
  'the order of events': orderOfEvents,
  uncertainty,
  connecting,
  connectWaiting: connectWaiting,
  accepting,
  connections,
  sending,
  receiving,
  'separate queues': separateQueues,
  disconnecting,
  'shutting down': shuttingDown,
  'remote disconnect': remoteDisconnect,
  lingering,
  'half-open': halfOpen,
  'back-pressure': backPressure,
  'faulty serializers': faultySerializers,
  'faulty deserializers': faultyDeserializers,
  'waiting deserializers': waitingDeserializers,
  'leaving while waiting': leavingWhileWaiting,
  listeners,
  'hostile peers': hostilePeers,
  'random sequences': randomSequences,
};

/** Registers the whole contract of a connector for one transport. */
export function connectorContract(transport: Transport): void {
  describe(`a connector over ${transport.name}`, () => {
    for (const [name, part] of Object.entries(PARTS)) describe(name, () => part(transport));
  });
}
