/** The id that ties a reply to its request. Chosen by the client; any scalar of the wire format. */
export type PacketId = string | number;

/** What a server's deserializer makes of a message: a request (with id), an event, or a cancellation. */
export interface IncomingPacket {
  pattern?: unknown;
  data?: unknown;
  id?: PacketId;
  metadata?: Readonly<Record<string, string>>;
  /** The client no longer wants the reply to the request `id`. */
  cancel?: boolean;
}

/**
 * What has become of a request that its handler has not answered: `'refused'`, it was not begun;
 * `'interrupted'`, it was begun and not finished; `'error'`, there is no handler, in the words of Nest.
 */
export type ReplyStatus = 'refused' | 'interrupted' | 'error';

/** What a server's serializer is given: a reply. */
export interface ReplyPacket {
  id: PacketId;
  response?: unknown;
  err?: unknown;
  /** Whether it is the last reply to its request. */
  isDisposed?: boolean;
  /** Only beside an `err` that is not its handler's. */
  status?: ReplyStatus;
}

/** A value, an error or the end, whichever request it replies to. */
export type ReplyContent = Omit<ReplyPacket, 'id'>;

/**
 * What a client's serializer is given: a request (with id), an event (without), or, with correlation by id, a
 * cancellation.
 */
export interface OutgoingPacket {
  id?: PacketId;
  pattern?: unknown;
  data?: unknown;
  metadata?: Readonly<Record<string, string>>;
  /** The replies to the request `id` are not wanted any more: nothing to send, where the protocol has no word for it. */
  cancel?: boolean;
}

/** What a client's deserializer makes of a message. */
export interface IncomingReply {
  id?: PacketId;
  response?: unknown;
  err?: unknown;
  isDisposed?: boolean;
  /**
   * Beside an `err`: `'refused'`, the request was not begun, or `'interrupted'`, it was not finished. It then fails
   * with a `PikeError` whose `delivery` says so and whose `cause` is `err`. Anything else means nothing.
   */
  status?: string;
}

/** Asks the other side for a sign of life, or gives it: in the default protocol only. */
export interface HeartbeatPacket {
  /** To be answered by a pong of the same number. */
  ping?: number;
  pong?: number;
}

/** What a deserializer may make of a message, of whichever side. */
export type ReceivedPacket = IncomingPacket & IncomingReply & HeartbeatPacket;

/** What a serializer may be given, of whichever side. */
export type SentPacket = OutgoingPacket & Partial<ReplyPacket> & HeartbeatPacket;

/** How replies find their requests: by id, in any order; or one reply per request, in request order. */
export type Correlation = 'id' | 'order';

/** Turns packets into messages of the converter's type. `undefined`: nothing is sent. */
export interface PacketSerializer<Packet, T> {
  serialize(packet: Packet): T | undefined | Promise<T | undefined>;
}

/** Turns messages of the converter's type into packets. */
export interface PacketDeserializer<Packet, T> {
  deserialize(message: T): Packet | Promise<Packet>;
}

/** Whether a packet can be a reply. */
export function isReply({ response, err, isDisposed }: ReceivedPacket): boolean {
  return response !== undefined || err !== undefined || isDisposed !== undefined;
}

/** Whether a value must be awaited. */
export function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
