export { ByteReader } from '../core/bytes/byte-reader.js';
export { ByteWriter } from '../core/bytes/byte-writer.js';
export type {
  Converter,
  Deserializer,
  Limits,
  PutBytesResult,
  Serializer,
} from '../core/converter.js';
export { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../core/converter.js';
export type { PikeErrorCode } from '../core/errors.js';
export { isPikeError, PikeError } from '../core/errors.js';
export { FramedConverter } from '../core/framed-converter.js';
export type { DelimitedOptions } from './delimited.js';
export { DelimitedConverter } from './delimited.js';
export type { FileChecksum } from './file-checksum.js';
export type { FileOptions } from './file-converter.js';
export { FileConverter } from './file-converter.js';
export type { FileMessage, FileProgress, ReceivedFile } from './file-message.js';
export { isReceivedFile } from './file-message.js';
export type { Existing } from './file-publish.js';
export { JsonConverter } from './json.js';
export type { JsonOptions } from './json-payload.js';
export { jsonPayload } from './json-payload.js';
export { latin1Payload } from './latin1-payload.js';
export type { ByteOrder } from './length-prefix.js';
export type { LengthPrefixedOptions } from './length-prefixed.js';
export { LengthPrefixedConverter } from './length-prefixed.js';
export type { LineOptions } from './line-converter.js';
export { LineConverter } from './line-converter.js';
export { MessagePackConverter } from './message-pack.js';
export type { MessagePackOptions } from './message-pack-payload.js';
export { messagePackPayload } from './message-pack-payload.js';
export type { MllpOptions } from './mllp.js';
export { MllpConverter } from './mllp.js';
export { NestTcpConverter } from './nest-tcp.js';
export type { PayloadCodec } from './payload-codec.js';
export { Primitives } from './primitives.js';
export { rawPayload } from './raw-payload.js';
export type { RespOptions } from './resp.js';
export { RespConverter } from './resp.js';
export type { RespValue } from './resp-value.js';
export { isRespError, RespError, RespSimpleString } from './resp-value.js';
export type { TextEncoding } from './text-encoding.js';
export { textPayload } from './text-payload.js';
