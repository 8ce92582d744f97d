import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { Connection } from 'nestjs-pike';
import { PikeContext } from 'nestjs-pike';
import { RespSimpleString } from 'nestjs-pike/converters';
import type { RespValue } from 'nestjs-pike/converters';
import { Arguments } from './arguments.pipe.js';
import type { Command } from './commands.js';
import { COMMANDS } from './commands.js';
import { NO_COMMAND } from './protocol.js';
import { Store } from './store.js';
import { Subscriptions } from './subscriptions.js';

const OK = new RespSimpleString('OK');
const PONG = new RespSimpleString('PONG');

/** What Redis's clients ask when they begin, and now and then. */
@Controller()
export class ServerController {
  readonly #names = new WeakMap<Connection, Buffer>();

  constructor(
    private readonly store: Store,
    private readonly subscriptions: Subscriptions,
  ) {}

  /** As in Redis, nothing is answered to nothing. */
  @EventPattern<string>(NO_COMMAND)
  nothing(): void {}

  @MessagePattern('PING')
  ping(
    @Payload(new Arguments('PING')) [message]: [Buffer?],
    @Ctx() context: PikeContext,
  ): RespValue {
    // A subscriber takes what is no array for nothing that it knows.
    if (this.subscriptions.count(context.getConnection()) > 0) return ['pong', message ?? ''];
    return message ?? PONG;
  }

  @MessagePattern('ECHO')
  echo(@Payload(new Arguments('ECHO')) [message]: [Buffer]): Buffer {
    return message;
  }

  /** Clients that can speak RESP3 ask for it, and go on with RESP2 when they are told this. */
  @MessagePattern('HELLO')
  hello(
    @Payload(new Arguments('HELLO')) [version]: [Buffer?],
    @Ctx() context: PikeContext,
  ): RespValue[] {
    if (version !== undefined && version.toString() !== '2') {
      throw new RpcException('NOPROTO unsupported protocol version');
    }
    const { id } = context.getConnection();
    return ['server', 'pike', 'proto', 2, 'id', id, 'mode', 'standalone', 'role', 'master'];
  }

  @MessagePattern('SELECT')
  select(@Payload(new Arguments('SELECT')) [index]: [Buffer]): RespSimpleString {
    if (index.toString() !== '0') throw new RpcException('ERR DB index is out of range');
    return OK;
  }

  @MessagePattern('CLIENT')
  client(
    @Payload(new Arguments('CLIENT')) [subcommand, argument]: [Buffer, Buffer?],
    @Ctx() context: PikeContext,
  ): RespValue {
    const connection = context.getConnection();
    switch (wordOf(subcommand)) {
      case 'ID':
        return connection.id;
      case 'GETNAME':
        return this.#names.get(connection) ?? null;
      case 'SETNAME':
        this.#names.set(connection, Buffer.from(argument ?? ''));
        return OK;
      case 'SETINFO': // the name and version of its library, which nobody asks for here
        return OK;
      default:
        throw unknownSubcommand('CLIENT', subcommand);
    }
  }

  @MessagePattern('COMMAND')
  command(@Payload(new Arguments('COMMAND')) [subcommand, ...names]: Buffer[]): RespValue {
    const all = Object.entries<Command>(COMMANDS);
    const wanted = new Set(names.map(wordOf));
    const named = wanted.size === 0 ? all : all.filter(([name]) => wanted.has(name));
    switch (subcommand && wordOf(subcommand)) {
      case undefined:
        return all.map(tableEntry);
      case 'COUNT':
        return all.length;
      case 'INFO':
        return named.map(tableEntry);
      case 'DOCS':
        return named.flatMap(([name, { summary }]) => [name.toLowerCase(), ['summary', summary]]);
      default:
        throw unknownSubcommand('COMMAND', subcommand);
    }
  }

  @MessagePattern('CONFIG')
  config(@Payload(new Arguments('CONFIG')) [subcommand, ...names]: Buffer[]): string[] {
    if (wordOf(subcommand) !== 'GET') throw unknownSubcommand('CONFIG', subcommand);
    const settings: Record<string, string> = {
      appendonly: 'no',
      save: '',
      maxmemory: `${this.store.maxMemory}`,
    };
    const wanted = new Set(names.map((name) => name.toString().toLowerCase()));
    return Object.entries(settings)
      .filter(([name]) => wanted.has(name))
      .flat();
  }

  @MessagePattern('INFO')
  info(): string {
    return [
      '# Server',
      'redis_mode:standalone',
      `process_id:${process.pid}`,
      `uptime_in_seconds:${Math.floor(process.uptime())}`,
      '# Memory',
      `used_memory:${this.store.bytes}`,
      `maxmemory:${this.store.maxMemory}`,
      '# Persistence',
      'loading:0',
      '# Keyspace',
      `db0:keys=${this.store.size},expires=0,avg_ttl=0`,
      '',
    ].join('\r\n');
  }
}

function tableEntry([name, { arity, flags, keys }]: [string, Command]): RespValue[] {
  return [name.toLowerCase(), arity, flags.map((flag) => new RespSimpleString(flag)), ...keys];
}

function wordOf(argument: Buffer | undefined): string {
  return argument?.toString('latin1').toUpperCase() ?? '';
}

function unknownSubcommand(command: string, subcommand: Buffer | undefined): RpcException {
  const shown = subcommand?.toString('latin1', 0, 128) ?? '';
  return new RpcException(`ERR unknown subcommand '${shown}' of '${command.toLowerCase()}'`);
}
