export { converterCases, encodeAll, testConverter } from './converter-contract.js';
export type { ConverterCase, ConverterContractOptions, TestRunner } from './converter-contract.js';
export { decodeAll, decodePieces, everySplit } from './every-split.js';
export type { Decoded, DecodeOptions } from './every-split.js';
