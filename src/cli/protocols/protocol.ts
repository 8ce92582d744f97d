import type { Converter } from '../../core/index.js';
import type { Correlation, PacketDeserializer, PacketSerializer } from '../../index.js';
import type { DataFormat } from './data-format.js';

/** What the packets of either side may hold. */
export interface Packet {
  id?: number | string;
  pattern?: unknown;
  data?: unknown;
  cancel?: boolean;
  response?: unknown;
  err?: unknown;
  isDisposed?: boolean;
  ping?: number;
  pong?: number;
}

/** What is spoken over a connection. */
export interface Protocol {
  readonly converter: Converter<unknown>;
  /** Whether messages stand for Nest's packets, with a pattern; otherwise each is but its own data. */
  readonly hasPackets: boolean;
  /** How data is typed. */
  readonly format: DataFormat;
  /** Turns packets into messages; by default they are messages. */
  readonly serializer?: PacketSerializer<Packet, unknown>;
  /** Turns messages into packets; by default they are packets. */
  readonly deserializer?: PacketDeserializer<Packet, unknown>;
  /** How replies find their requests. Default: `'id'` of packets, `'order'` otherwise. */
  readonly correlation?: Correlation;
}
