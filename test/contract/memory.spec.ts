import { memory } from '../support/transports/memory.js';
import { connectorContract } from './contract.js';

connectorContract(memory);
