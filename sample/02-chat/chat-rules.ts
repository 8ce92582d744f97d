import { Injectable } from '@nestjs/common';

/** The rules of the house; another provider in its place makes others. */
@Injectable()
export class ChatRules {
  /** How long a peer may take to find a nickname, in ms. */
  readonly nicknameTimeout: number = 30_000;
  /** How many nicknames a peer may try. */
  readonly nicknameAttempts: number = 5;
  /** How many lines a member may say at once. */
  readonly linesAtOnce: number = 50;
  /** How many lines a member may say per second after that. */
  readonly linesPerSecond: number = 5;
}
