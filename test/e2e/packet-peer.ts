import { inspect } from 'node:util';
import { decode, encode } from '@msgpack/msgpack';
import { RawPeer } from '../support/raw-peer.js';

/** What a server answers, or a client sends, as it is on the wire. */
export interface WirePacket {
  id?: number | string;
  response?: unknown;
  err?: unknown;
  isDisposed?: boolean;
  pattern?: unknown;
  data?: unknown;
  cancel?: boolean;
}

/** A stranger that speaks the default protocol, or something like it, on a raw socket. */
export class PacketPeer {
  readonly raw: RawPeer;
  /** What has come, in order. */
  readonly replies: WirePacket[] = [];
  #waiting: (() => void)[] = [];
  #rest = Buffer.alloc(0);

  private constructor(raw: RawPeer) {
    this.raw = raw;
    if (raw.bytesReceived > 0) this.#read(raw.received);
    raw.socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async connect(port: number, options: { reading?: boolean } = {}): Promise<PacketPeer> {
    return new PacketPeer(await RawPeer.connect({ host: '127.0.0.1', port }, options));
  }

  /** The server's side of a connection that a client has made. */
  static over(raw: RawPeer): PacketPeer {
    return new PacketPeer(raw);
  }

  /** The frame of a value, made by another implementation of MessagePack. */
  static frame(value: unknown): Buffer {
    return PacketPeer.framed(encode(value, { useBigInt64: true, maxDepth: 1000 }));
  }

  /** The frame of a payload. */
  static framed(payload: Uint8Array): Buffer {
    const frame = Buffer.alloc(4 + payload.length);
    frame.writeUInt32BE(payload.length);
    frame.set(payload, 4);
    return frame;
  }

  send(...packets: unknown[]): void {
    this.raw.write(Buffer.concat(packets.map((packet) => PacketPeer.frame(packet))));
  }

  /** Resolves with the first packet that fits; rejects if the other side ends the connection before. */
  async reply(fits: (reply: WirePacket) => boolean): Promise<WirePacket> {
    for (;;) {
      const found = this.replies.find((reply) => fits(reply));
      if (found !== undefined) return found;
      await Promise.race([
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        this.raw.ended.then(() => {
          throw new Error(`Ended at ${inspect(this.replies.slice(-3), { maxStringLength: 100 })}`);
        }),
      ]);
    }
  }

  /** Resolves with the last reply to a request. */
  lastReply(id: number | string): Promise<WirePacket> {
    return this.reply(
      (reply) => reply.id === id && (reply.isDisposed === true || reply.err !== undefined),
    );
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readUInt32BE()) {
      const end = 4 + this.#rest.readUInt32BE();
      this.replies.push(decode(this.#rest.subarray(4, end)) as WirePacket);
      this.#rest = this.#rest.subarray(end);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
