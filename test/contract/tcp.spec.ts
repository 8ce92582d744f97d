import { tcp } from '../support/transports/tcp.js';
import { connectorContract } from './contract.js';

connectorContract(tcp);
