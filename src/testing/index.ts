export { converterCases, encodeAll, testConverter } from './converter-contract.js';
export type { ConverterCase, ConverterContractOptions, TestRunner } from './converter-contract.js';
export { decodeAll, decodePieces, everySplit } from './every-split.js';
export type { Decoded, DecodeOptions } from './every-split.js';
export { MemoryConnector } from './memory-connector.js';
export type { MemoryConnectorOptions } from './memory-connector.js';
export { MEMORY_PIPE_BYTES } from './memory-pipe.js';
