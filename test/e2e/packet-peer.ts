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
  /** What has come of a packet that is not whole, and how much of it there must be to look again. */
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = 4;

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
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    let rest = Buffer.concat(this.#chunks);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE();
      this.replies.push(decode(rest.subarray(4, end)) as WirePacket);
      rest = rest.subarray(end);
    }
    this.#chunks = [rest];
    this.#size = rest.length;
    this.#needed = rest.length < 4 ? 4 : 4 + rest.readUInt32BE();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
