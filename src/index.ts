export { isPikeError, PIKE_ERRORS, PikeError } from './core/errors.js';
export type { Delivery, PikeErrorCode } from './core/errors.js';
export { Connection } from './core/connection.js';
export type { ConnectionState } from './core/connection-state.js';
export type { Connector } from './core/connector.js';
export type { Converter } from './core/converter.js';
export type {
  ConnectionDiagnostics,
  HandshakeDiagnostics,
  ReceiveDiagnostics,
  RejectDiagnostics,
  SendDiagnostics,
} from './core/diagnostics.js';
export type { Endpoint } from './core/endpoint.js';
export {
  FinishConnectEvent,
  FinishDisconnectEvent,
  isPikeEvent,
  MessageReceivedEvent,
  PikeEvent,
  RejectedMessageEvent,
  RemoteConnectEvent,
  RemoteDisconnectEvent,
} from './core/events.js';
export type { Arrival, ConnectorEvent, Leftovers } from './core/events.js';
export type { Finish } from './core/finish.js';
export { PikeClient } from './nest/client/pike-client.js';
export type { PikeClientState, PikeClientStatus, SendOptions } from './nest/client/pike-client.js';
export type { ClientLimits, PikeClientOptions } from './nest/client/client-options.js';
export type { CallDiagnostics } from './nest/diagnostics/call-diagnostics.js';
export type { HandlingDiagnostics } from './nest/diagnostics/handling-diagnostics.js';
export type { OperationDiagnostics, OperationOutcome } from './nest/diagnostics/operation.js';
export type { ReconnectOptions } from './nest/dialling/reconnect-options.js';
export type { ObservedEvents } from './nest/connector-observers.js';
export type { HandlingLimits } from './nest/handling/handling-options.js';
export type { ProcessingEndHook, ProcessingStartHook } from './nest/handling/processing.js';
export {
  OnFinishConnect,
  OnFinishDisconnect,
  OnRejectedMessage,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PikeLifecycle,
} from './nest/lifecycle.js';
export type { LifecycleOptions, LifecyclePattern, LifecycleType } from './nest/lifecycle.js';
export { PikeModule } from './nest/module/pike.module.js';
export type { PikeModuleAsyncOptions } from './nest/module/pike.module.js';
export type {
  PikeClientAsyncRegistration,
  PikeClientRegistration,
  PikeModuleOptions,
} from './nest/module/module-options.js';
export {
  getPikeClientToken,
  getPikeServerToken,
  InjectPikeClient,
  InjectPikeServer,
} from './nest/module/tokens.js';
export type { PikeToken, WithTokens } from './nest/injected-options.js';
export { nestTcp } from './nest/packets/nest-tcp.js';
export type { NestTcp } from './nest/packets/nest-tcp.js';
export type {
  Correlation,
  HeartbeatPacket,
  IncomingPacket,
  IncomingReply,
  OutgoingPacket,
  PacketDeserializer,
  PacketId,
  PacketSerializer,
  ReceivedPacket,
  ReplyPacket,
  ReplyStatus,
  SentPacket,
} from './nest/packets/packets.js';
export type { PacketOptions } from './nest/packets/packet-options.js';
export { PikeContext } from './nest/pike-context.js';
export type { ContextPeer, PikeContextArgs } from './nest/pike-context.js';
export type { BroadcastFailure, BroadcastOptions, BroadcastResult } from './nest/push/broadcast.js';
export type { Group } from './nest/push/group.js';
export type { PeerVerbs } from './nest/push/peer-verbs.js';
export { rawMessages } from './nest/packets/raw-messages.js';
export type { RawMessages, RawMessagesOptions } from './nest/packets/raw-messages.js';
export { PikeServer } from './nest/server/pike-server.js';
export type { PikeServerStatus } from './nest/server/pike-server.js';
export type { PikeServerState } from './nest/server/serving.js';
export type { PikeServerOptions, PikeServerOwnOptions } from './nest/server/server-options.js';
export type { SessionOptions } from './nest/session/session-settings.js';
export type { PikeShutdownOptions, PikeShutdownWay } from './nest/shutdown-options.js';
export { PIKE_TRANSPORT } from './nest/transport.js';
