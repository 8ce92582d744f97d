import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { RespSimpleString } from 'nestjs-pike/converters';
import { Arguments } from './arguments.pipe.js';
import { Store } from './store.js';

const OK = new RespSimpleString('OK');

@Controller()
export class KeysController {
  constructor(private readonly store: Store) {}

  @MessagePattern('GET')
  get(@Payload(new Arguments('GET')) [key]: [Buffer]): Buffer | null {
    return this.store.get(key);
  }

  @MessagePattern('SET')
  set(@Payload(new Arguments('SET')) [key, value]: [Buffer, Buffer]): RespSimpleString {
    this.store.set(key, value);
    return OK;
  }

  @MessagePattern('DEL')
  del(@Payload(new Arguments('DEL')) keys: Buffer[]): number {
    return keys.filter((key) => this.store.delete(key)).length;
  }

  @MessagePattern('MGET')
  mget(@Payload(new Arguments('MGET')) keys: Buffer[]): (Buffer | null)[] {
    return keys.map((key) => this.store.get(key));
  }

  @MessagePattern('INCR')
  incr(@Payload(new Arguments('INCR')) [key]: [Buffer]): bigint {
    return this.store.increment(key);
  }
}
