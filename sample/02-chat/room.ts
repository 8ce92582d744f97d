import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { Connection } from 'nestjs-pike';
import { Allowance } from './allowance.js';
import { ChatRules } from './chat-rules.js';
import { areAlike } from './nickname.js';
import type { Peer } from './peer.js';

/** Somebody in the room. */
export interface Member {
  readonly nickname: string;
  readonly peer: Peer;
  readonly allowance: Allowance;
}

/** Who is here, and who hears what. */
@Injectable()
export class Room implements BeforeApplicationShutdown {
  readonly #members = new Map<Connection, Member>();

  constructor(private readonly rules: ChatRules) {}

  /** Lets a peer in under a nickname. @returns whether that was free */
  join(peer: Peer, nickname: string): boolean {
    if (this.nicknames.some((other) => areAlike(other, nickname))) return false;
    const company =
      this.nicknames.length === 0 ? 'You are alone.' : `Here: ${this.nicknames.join(', ')}.`;
    const { linesAtOnce, linesPerSecond } = this.rules;
    const member = { nickname, peer, allowance: new Allowance(linesAtOnce, linesPerSecond) };
    this.#members.set(peer.connection, member);
    peer.tell(`* Welcome, ${nickname}. ${company}`);
    this.#tellOthers(member, `* ${nickname} has joined.`);
    return true;
  }

  /** The member at a connection, if there is one. */
  memberAt(connection: Connection): Member | undefined {
    return this.#members.get(connection);
  }

  get nicknames(): string[] {
    return Array.from(this.#members.values(), ({ nickname }) => nickname);
  }

  say(speaker: Member, text: string): void {
    this.#tellOthers(speaker, `${speaker.nickname}: ${text}`);
  }

  /** Whoever was at a connection is here no longer. */
  leave(connection: Connection): void {
    const member = this.#members.get(connection);
    if (member === undefined) return;
    this.#members.delete(connection);
    this.#tellOthers(member, `* ${member.nickname} has left.`);
  }

  /** On a signal Nest calls it before the server closes, which then sends what everybody was told. */
  beforeApplicationShutdown(): void {
    for (const { peer } of this.#members.values()) {
      peer.tell('* The server is shutting down. Goodbye.');
    }
    // That the others go too need be told to nobody.
    this.#members.clear();
  }

  #tellOthers(member: Member, line: string): void {
    for (const other of this.#members.values()) {
      if (other !== member) other.peer.tell(line);
    }
  }
}
