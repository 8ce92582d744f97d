import { unix } from '../support/transports/unix.js';
import { connectorContract } from './contract.js';

connectorContract(unix);
