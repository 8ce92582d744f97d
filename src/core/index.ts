export { Connection } from './connection.js';
export type { ConnectionFacts, InboundFacts } from './connection.js';
export type { ConnectionState } from './connection-state.js';
export type {
  ConnectOptions,
  ConnectResult,
  ConnectWaitingOptions,
  Connector,
} from './connector.js';
export type {
  ConnectionDiagnostics,
  HandshakeDiagnostics,
  ReceiveDiagnostics,
  RejectDiagnostics,
  SendDiagnostics,
} from './diagnostics.js';
export { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from './converter.js';
export type { Converter, Deserializer, Limits, PutBytesResult, Serializer } from './converter.js';
export { ByteReader } from './bytes/byte-reader.js';
export { ByteWriter } from './bytes/byte-writer.js';
export { FramedConverter } from './framed-converter.js';
export { showEndpoint } from './endpoint.js';
export type { Endpoint } from './endpoint.js';
export { isPikeError, PIKE_ERRORS, PikeError } from './errors.js';
export type { Delivery, PikeErrorCode } from './errors.js';
export {
  FinishConnectEvent,
  FinishDisconnectEvent,
  isPikeEvent,
  MessageReceivedEvent,
  PikeEvent,
  RejectedMessageEvent,
  RemoteConnectEvent,
  RemoteDisconnectEvent,
} from './events.js';
export type { Arrival, ConnectorEvent, Leftovers } from './events.js';
export type { Finish } from './finish.js';
export { NetConnector } from './net/net-connector.js';
export type { NetConnectorOptions, NetTlsOptions } from './net/net-options.js';
export type { TlsPeer } from './tls-peer.js';
export type { ConnectorLimits, ConnectorOptions } from './options.js';
export type { ErrorHandler } from './report.js';
