// Prevents: a controller that works with Nest's own TCP transport and behaves differently with this
// one: another reply, another error, another order of what Nest puts around a handler.
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  BadRequestException,
  Catch,
  Controller,
  Inject,
  Injectable,
  Module,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import type {
  CallHandler,
  CanActivate,
  ExceptionFilter,
  ExecutionContext,
  INestMicroservice,
  NestInterceptor,
  PipeTransform,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  BaseRpcContext,
  ClientTCP,
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { PikeClient, PikeServer } from 'nestjs-pike';
import {
  catchError,
  concat,
  EMPTY,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  of,
  tap,
  throwError,
  timeout,
  toArray,
} from 'rxjs';
import { freePort } from '../support/free-port.js';
import { muteLogger } from '../support/mute-logger.js';
import { inputHandled, nextTurn } from '../support/turns.js';

/** What has happened in the server, in order. */
const trace: string[] = [];

@Injectable()
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { data } = { data: context.switchToRpc().getData<unknown>() };
    trace.push(`guard ${context.getType()} ${context.getHandler().name} ${JSON.stringify(data)}`);
    return data !== 'denied';
  }
}

class Interceptor implements NestInterceptor {
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  intercept(_: ExecutionContext, next: CallHandler) {
    trace.push(`${this.#name} before`);
    return next.handle().pipe(
      tap((value) => trace.push(`${this.#name} value ${JSON.stringify(value)}`)),
      map((value: unknown) => [this.#name, value]),
      tap({
        error: (error: unknown) => trace.push(`${this.#name} error ${String(error)}`),
        complete: () => trace.push(`${this.#name} complete`),
      }),
    );
  }
}

class CachingInterceptor implements NestInterceptor {
  intercept() {
    return of('cached');
  }
}

class AsyncInterceptor implements NestInterceptor {
  async intercept(_: ExecutionContext, next: CallHandler) {
    await nextTurn();
    return next.handle().pipe(catchError((error: Error) => of(`recovered from ${error.message}`)));
  }
}

class FailingInterceptor implements NestInterceptor {
  intercept(): never {
    throw new RpcException('not intercepted');
  }
}

class Pipe implements PipeTransform {
  transform(value: unknown) {
    trace.push(`pipe ${JSON.stringify(value)}`);
    if (value === 'bad') throw new RpcException('bad value');
    return { piped: value };
  }
}

@Catch(RangeError)
class RangeFilter implements ExceptionFilter {
  catch(error: RangeError) {
    trace.push(`filter ${error.message}`);
    return throwError(() => ({ status: 'error', message: `out of range: ${error.message}` }));
  }
}

@Catch()
class ReplyingFilter implements ExceptionFilter {
  catch(error: Error) {
    return of(`instead of ${error.message}`);
  }
}

@Controller()
class PlainController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern({ cmd: 'sum', version: 2 })
  sum(@Payload('numbers') numbers: number[]) {
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern(7)
  seven() {
    return 'seven';
  }

  @MessagePattern('later')
  async later(data: unknown) {
    await nextTurn();
    return data;
  }

  @MessagePattern('nothing')
  nothing() {
    trace.push('nothing');
  }

  @MessagePattern('many')
  many() {
    return from([1, 'two', null, { three: 3 }]);
  }

  @MessagePattern('empty')
  empty() {
    return EMPTY;
  }

  @MessagePattern('promise of many')
  async promiseOfMany() {
    await nextTurn();
    return from([1, 2, 3]);
  }

  @MessagePattern('values, then an error')
  valuesThenError() {
    return concat(
      of(1, 2),
      throwError(() => new RpcException('enough')),
    );
  }

  @MessagePattern('throws')
  throws(kind: string) {
    if (kind === 'text') throw new RpcException('a text');
    if (kind === 'object') throw new RpcException({ code: 7, reason: 'an object' });
    if (kind === 'HTTP') throw new BadRequestException('a bad request');
    if (kind === 'error') throw new TypeError('a secret');
    // oxlint-disable-next-line typescript/only-throw-error -- that is what is tested
    throw 'a secret text';
  }

  @MessagePattern('rejects')
  async rejects(kind: string) {
    await nextTurn();
    return this.throws(kind);
  }

  @MessagePattern('context')
  context(@Ctx() context: BaseRpcContext, @Payload() data: unknown) {
    return [context instanceof BaseRpcContext, (context.getArgByIndex(1) as string) ?? '', data];
  }
}

@UseGuards(Guard)
@Controller()
class GuardedController {
  @UseGuards(Guard)
  @UseInterceptors(new Interceptor('outer'), new Interceptor('inner'))
  @UsePipes(new Pipe())
  @MessagePattern('guarded')
  guarded(@Payload() data: unknown) {
    trace.push(`handler ${JSON.stringify(data)}`);
    return data;
  }

  @UseInterceptors(new Interceptor('only'))
  @MessagePattern('intercepted stream')
  stream() {
    return from([1, 2]);
  }

  @UseInterceptors(new Interceptor('only'))
  @MessagePattern('intercepted failure')
  failure() {
    throw new RpcException('failed inside');
  }

  @UseInterceptors(AsyncInterceptor)
  @MessagePattern('recovers')
  recovers() {
    throw new Error('a fault');
  }

  @UseInterceptors(CachingInterceptor)
  @MessagePattern('cached')
  cached() {
    trace.push('handler');
    return 'fresh';
  }

  @UseInterceptors(FailingInterceptor)
  @MessagePattern('failing interceptor')
  failingInterceptor() {
    return 'never';
  }

  @MessagePattern('parsed')
  parsed(@Payload(ParseIntPipe) data: number) {
    return data + 1;
  }

  @UseFilters(RangeFilter)
  @MessagePattern('filtered')
  filtered(kind: string) {
    if (kind === 'range') throw new RangeError('7');
    throw new RpcException('unfiltered');
  }

  @UseFilters(RangeFilter)
  @MessagePattern('filtered stream')
  filteredStream() {
    return concat(
      of(1),
      throwError(() => new RangeError('8')),
    );
  }

  @UseFilters(ReplyingFilter)
  @MessagePattern('replying filter')
  replyingFilter() {
    throw new Error('an error');
  }
}

@Controller({ scope: Scope.REQUEST })
class ScopedController {
  static instances = 0;
  readonly #instance = ++ScopedController.instances;
  constructor(@Inject(REQUEST) private readonly request: { pattern: unknown; data: unknown }) {}

  @UseGuards(Guard)
  @UseInterceptors(new Interceptor('scoped'))
  @MessagePattern('scoped')
  scoped(data: unknown) {
    return { instance: this.#instance, data, request: this.request.pattern };
  }

  @EventPattern<string>('scoped event')
  event(data: unknown) {
    trace.push(`scoped event ${JSON.stringify(data)} ${JSON.stringify(this.request.data)}`);
  }
}

@Controller()
class EventController {
  @UseGuards(Guard)
  @UseInterceptors(new Interceptor('event'))
  @UsePipes(new Pipe())
  @EventPattern<string>('guarded event')
  guardedEvent(@Payload() data: unknown) {
    trace.push(`event ${JSON.stringify(data)}`);
  }

  @EventPattern<string>('twice')
  first(data: unknown) {
    trace.push(`first ${JSON.stringify(data)}`);
    return 'first';
  }

  @EventPattern<string>('twice')
  async second(data: unknown) {
    await nextTurn();
    trace.push(`second ${JSON.stringify(data)}`);
    return from(['second', 'last']);
  }

  @EventPattern<string>('failing event')
  failing() {
    throw new Error('nobody is told');
  }

  @EventPattern({ kind: 'object event' })
  objectEvent(data: unknown) {
    trace.push(`object event ${JSON.stringify(data)}`);
  }
}

@Module({ controllers: [PlainController, GuardedController, ScopedController, EventController] })
class AppModule {}

interface Side {
  app: INestMicroservice;
  client: PikeClient | ClientTCP;
}

/** Puts around every handler what can be put around every handler. */
function dress(app: INestMicroservice): void {
  app.useGlobalGuards({
    canActivate: (context) => {
      trace.push(`global guard ${context.getHandler().name}`);
      return true;
    },
  });
  app.useGlobalPipes({
    transform: (value: unknown) => {
      const shown = value instanceof BaseRpcContext ? 'the context' : JSON.stringify(value);
      trace.push(`global pipe ${shown}`);
      return value;
    },
  });
  app.useGlobalInterceptors({
    intercept: (context, next) => {
      trace.push(`global interceptor ${context.getHandler().name}`);
      return next.handle();
    },
  });
  app.useGlobalFilters(new RangeFilter());
  app.registerPreRequestHook((context, next) => {
    trace.push(`hook ${context.getType()} ${context.getHandler().name}`);
    return next();
  });
}

describe.each([
  ['without anything global', false],
  ['with global guards, pipes, interceptors, filters and pre-request hooks', true],
])('the same application, %s', (_, dressed) => {
  let tcp: Side;
  let pike: Side;

  const create = async (strategy: PikeServer | number, client: Side['client']): Promise<Side> => {
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const app = testing.createNestMicroservice(
      typeof strategy === 'number'
        ? { transport: Transport.TCP, options: { port: strategy }, logger: false }
        : { strategy, logger: false },
    );
    if (dressed) dress(app);
    await app.listen();
    await client.connect();
    return { app, client };
  };

  beforeAll(async () => {
    muteLogger();
    const [tcpPort, pikePort] = [await freePort(), await freePort()];
    tcp = await create(tcpPort, new ClientTCP({ port: tcpPort }));
    pike = await create(new PikeServer({ port: pikePort }), new PikeClient({ port: pikePort }));
  });
  afterAll(async () => {
    for (const { client, app } of [tcp, pike]) {
      await client.close();
      await app.close();
    }
    jest.restoreAllMocks();
  });
  beforeEach(() => {
    trace.length = ScopedController.instances = 0;
  });

  /** What a caller sees of a request, and what has happened in the server. */
  const request = async ({ client }: Side, pattern: unknown, data: unknown) => {
    trace.length = ScopedController.instances = 0;
    const values: unknown[] = [];
    const error = await lastValueFrom(
      client.send(pattern, data).pipe(
        tap((value) => values.push(value)),
        timeout(3000),
        toArray(),
      ),
    ).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { values, error, trace: [...trace] };
  };

  /** What has happened in the server once an event is handled. */
  const event = async ({ client }: Side, pattern: unknown, data: unknown) => {
    trace.length = ScopedController.instances = 0;
    await lastValueFrom(client.emit(pattern, data), { defaultValue: undefined });
    await firstValueFrom(client.send('later', 1));
    for (let i = 0; i < 5; i++) await inputHandled();
    return trace.filter((entry) => !entry.endsWith(' later') && entry !== 'global pipe 1');
  };

  it.each<[unknown, unknown]>([
    ['echo', 'text'],
    ['echo', { deep: [{ er: 1.5 }], nothing: null, yes: true }],
    ['echo', 0],
    ['echo', ''],
    ['echo', false],
    [{ version: 2, cmd: 'sum' }, { numbers: [1, 2, 3] }],
    ['{"cmd":"sum","version":2}', { numbers: [4, 5] }],
    [7, {}],
    ['7', {}],
    ['later', 'on'],
    ['nothing', {}],
    ['many', {}],
    ['empty', {}],
    ['promise of many', {}],
    ['values, then an error', {}],
    ['throws', 'text'],
    ['throws', 'object'],
    ['throws', 'HTTP'],
    ['throws', 'error'],
    ['throws', 'thrown text'],
    ['rejects', 'text'],
    ['rejects', 'object'],
    ['rejects', 'error'],
    ['context', 'mine'],
    ['unknown', {}],
    [{ cmd: 'unknown' }, {}],
    ['guarded', 'allowed'],
    ['guarded', 'denied'],
    ['guarded', 'bad'],
    ['intercepted stream', {}],
    ['intercepted failure', {}],
    ['recovers', {}],
    ['cached', {}],
    ['failing interceptor', {}],
    ['parsed', '41'],
    ['parsed', 'x'],
    ['filtered', 'range'],
    ['filtered', 'else'],
    ['filtered stream', {}],
    ['replying filter', {}],
    ['scoped', 'once'],
    ['scoped', 'denied'],
    ['scoped event', 'as a request'],
    ['guarded event', 'as a request'],
    ['twice', 'as a request'],
    ['failing event', 'as a request'],
  ])('answers a request for %j with %j in the same way', async (pattern, data) => {
    const expected = await request(tcp, pattern, data);
    await expect(request(pike, pattern, data)).resolves.toEqual(expected);
  });

  it.each<[unknown, unknown]>([
    ['guarded event', 'allowed'],
    ['guarded event', 'denied'],
    ['guarded event', 'bad'],
    ['scoped event', 'once'],
    ['twice', 'each'],
    ['failing event', {}],
    [{ kind: 'object event' }, { a: 1 }],
    ['unknown', {}],
    ['echo', 'a request handler'],
    ['cached', 'a request handler'],
  ])('handles the event %j with %j in the same way', async (pattern, data) => {
    const expected = await event(tcp, pattern, data);
    await expect(event(pike, pattern, data)).resolves.toEqual(expected);
  });

  it('gives each request an instance of its own, where controllers are request-scoped', async () => {
    for (const side of [tcp, pike]) {
      ScopedController.instances = 0;
      const replies = await Promise.all(
        [1, 2, 3].map((data) => firstValueFrom(side.client.send('scoped', data))),
      );
      expect(replies).toEqual(
        [1, 2, 3].map((data) => [
          'scoped',
          { instance: expect.any(Number), data, request: 'scoped' },
        ]),
      );
      expect(ScopedController.instances).toBe(3);
    }
  });

  it('begins with requests and events of one client in their order', async () => {
    const traces = [];
    for (const { client } of [tcp, pike]) {
      trace.length = 0;
      const replies = [1, 2, 3].map(async (data) => {
        client.emit('guarded event', data);
        return firstValueFrom(client.send('guarded', data));
      });
      await Promise.all(replies);
      traces.push(trace.filter((entry) => entry.startsWith('hook')));
    }
    expect(traces[0]).toHaveLength(dressed ? 6 : 0);
    expect(traces[1]).toEqual(traces[0]);
  });
});
