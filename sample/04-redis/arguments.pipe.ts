import type { PipeTransform } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { CommandName } from './commands.js';
import { COMMANDS } from './commands.js';

/** Refuses a command that has more words, or less, than it should: `@Payload(new Arguments('GET'))`. */
export class Arguments implements PipeTransform<Buffer[], Buffer[]> {
  constructor(private readonly name: CommandName) {}

  transform(args: Buffer[]): Buffer[] {
    const { arity } = COMMANDS[this.name];
    const words = args.length + 1;
    if (arity < 0 ? words >= -arity : words === arity) return args;
    throw new RpcException(
      `ERR wrong number of arguments for '${this.name.toLowerCase()}' command`,
    );
  }
}
