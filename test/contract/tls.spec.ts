import { tls } from '../support/transports/tls.js';
import { connectorContract } from './contract.js';

connectorContract(tls);
