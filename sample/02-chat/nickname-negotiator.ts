import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Injectable, Logger } from '@nestjs/common';
import type { Connector, RemoteConnectEvent } from 'nestjs-pike';
import { ChatRules } from './chat-rules.js';
import { NICKNAME_RULE, parseNickname } from './nickname.js';
import { Peer } from './peer.js';
import { Room } from './room.js';

/** Negotiates with each peer what it is called, on a queue of its own, before it enters the room. */
@Injectable()
export class NicknameNegotiator implements BeforeApplicationShutdown {
  readonly #logger = new Logger(NicknameNegotiator.name);
  readonly #waiting = new Set<Peer>();

  constructor(
    private readonly room: Room,
    private readonly rules: ChatRules,
  ) {}

  /**
   * Negotiates with a peer that is connecting, once it has been accepted. Never rejects, so that
   * nobody need await it: whatever goes wrong costs this peer its connection.
   */
  async negotiate(event: RemoteConnectEvent, connector: Connector<string>): Promise<void> {
    const peer = new Peer(connector, event.connection);
    try {
      if (await event.accepted) await this.#limitTime(peer);
    } catch (error) {
      this.#logger.error(error);
      peer.drop();
      // The end of a connection that is separate is told to nobody else.
      this.room.leave(peer.connection);
    }
  }

  beforeApplicationShutdown(): void {
    for (const peer of this.#waiting) peer.dismiss('* The server is shutting down. Goodbye.');
  }

  async #limitTime(peer: Peer): Promise<void> {
    const timer = setTimeout(
      () => peer.dismiss('* That took too long. Goodbye.'),
      this.rules.nicknameTimeout,
    );
    this.#waiting.add(peer);
    try {
      await this.#askForNickname(peer);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(peer);
    }
  }

  async #askForNickname(peer: Peer): Promise<void> {
    peer.tell('* What is your nickname?');
    for (let attempt = 1; ; attempt++) {
      const line = await peer.nextLine();
      if (line === undefined) return;
      if (line.trim() === '/quit') {
        peer.dismiss('* Goodbye.');
        return;
      }
      const nickname = parseNickname(line);
      if (nickname !== undefined && this.room.join(peer, nickname)) {
        peer.merge();
        return;
      }
      const problem =
        nickname === undefined ? `A nickname is ${NICKNAME_RULE}.` : `"${nickname}" is taken.`;
      if (attempt === this.rules.nicknameAttempts) {
        peer.dismiss(`* ${problem} That was the last attempt. Goodbye.`);
        return;
      }
      peer.tell(`* ${problem} What is your nickname?`);
    }
  }
}
