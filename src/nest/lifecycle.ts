import 'reflect-metadata';
import { EventPattern } from '@nestjs/microservices';
import { PikeEvent } from '../core/events.js';
import type { ConnectorEvent } from '../core/events.js';
import { invalidOption } from '../core/options.js';
import { PIKE_TRANSPORT } from './transport.js';

/** The types of the events that are not messages. */
export type LifecycleType = Exclude<ConnectorEvent['type'], 'messageReceived'>;

const LIFECYCLE: unique symbol = Symbol.for('nestjs-pike.lifecycle');

/** The pattern of a lifecycle event. Recognised by a symbol, which no packet from the wire can carry. */
export interface LifecyclePattern {
  readonly pike: LifecycleType;
  /** @internal */
  readonly [LIFECYCLE]?: true;
}

function pattern(type: LifecycleType): LifecyclePattern {
  return Object.freeze({ pike: type, [LIFECYCLE]: true } as const);
}

/**
 * The patterns under which handlers receive what happens to connections:
 * `@EventPattern(PikeLifecycle.RemoteConnect, PIKE_TRANSPORT)`. The payload is the event, the
 * context a `PikeContext`. Received messages have patterns of their own, from the wire.
 */
export const PikeLifecycle = {
  /** A peer connects: the payload is a `RemoteConnectEvent`, and one handler must call its `finishAccept()`. */
  RemoteConnect: pattern('remoteConnect'),
  /** The payload is a `RemoteDisconnectEvent`. */
  RemoteDisconnect: pattern('remoteDisconnect'),
  /** The payload is a `FinishConnectEvent`. */
  FinishConnect: pattern('finishConnect'),
  /** The payload is a `FinishDisconnectEvent`. */
  FinishDisconnect: pattern('finishDisconnect'),
  /** The payload is a `RejectedMessageEvent`. */
  RejectedMessage: pattern('rejectedMessage'),
} as const;

/** Which lifecycle event a pattern of a handler means, if any. */
export function lifecycleTypeOf(handlerPattern: unknown): LifecycleType | undefined {
  return typeof handlerPattern === 'object' &&
    handlerPattern !== null &&
    LIFECYCLE in handlerPattern
    ? (handlerPattern as LifecyclePattern).pike
    : undefined;
}

/** Options of the lifecycle decorators. A method that has several must have the same in all. */
export interface LifecycleOptions {
  /** Only events of the server with this `name` option. Default: of every Pike server. */
  server?: string;
}

/** What the lifecycle decorators of a method have said so far. */
interface Decorated extends LifecycleOptions {
  patterns: readonly LifecyclePattern[];
}

const DECORATED = Symbol('nestjs-pike.decorated');

/** Of several decorators on a method, Nest's `EventPattern` would know only the last: each is given them all. */
function on(lifecyclePattern: LifecyclePattern, options: LifecycleOptions): MethodDecorator {
  return (target, name, descriptor) => {
    hideEventClasses(target, name);
    const handler = descriptor.value as object;
    const before = Reflect.getOwnMetadata(DECORATED, handler) as Decorated | undefined;
    if (before !== undefined && before.server !== options.server) {
      throw invalidOption(
        `${target.constructor.name}.${String(name)}`,
        'server',
        'must be the same in all lifecycle decorators of a method',
      );
    }
    const patterns = [...(before?.patterns ?? []), lifecyclePattern];
    Reflect.defineMetadata(DECORATED, { ...options, patterns }, handler);
    EventPattern(patterns, PIKE_TRANSPORT, { ...options })(target, name, descriptor);
  };
}

const PARAMETER_TYPES = 'design:paramtypes';

/**
 * Has Nest take the parameters of a handler that are events for any objects. Of one whose class it
 * knows, its ValidationPipe makes a copy, as of data: it would be no event any more.
 */
function hideEventClasses(target: object, name: string | symbol): void {
  const types = Reflect.getMetadata(PARAMETER_TYPES, target, name) as unknown[] | undefined;
  const shown = types?.map((type) => (isEventClass(type) ? Object : type));
  if (shown !== undefined) Reflect.defineMetadata(PARAMETER_TYPES, shown, target, name);
}

function isEventClass(type: unknown): boolean {
  return typeof type === 'function' && type.prototype instanceof PikeEvent;
}

/**
 * Handles peers that connect. If there are such handlers, one of them must call
 * `event.finishAccept()`; it takes effect once all have succeeded. If one throws, a guard denies it,
 * or none accepts, the peer is refused.
 */
export const OnRemoteConnect = (options: LifecycleOptions = {}): MethodDecorator =>
  on(PikeLifecycle.RemoteConnect, options);

/** Handles connections that their peer has ended, or that were lost. */
export const OnRemoteDisconnect = (options: LifecycleOptions = {}): MethodDecorator =>
  on(PikeLifecycle.RemoteDisconnect, options);

/** Handles the results of attempts to connect. */
export const OnFinishConnect = (options: LifecycleOptions = {}): MethodDecorator =>
  on(PikeLifecycle.FinishConnect, options);

/** Handles connections that we have ended, with the messages that were not sent. */
export const OnFinishDisconnect = (options: LifecycleOptions = {}): MethodDecorator =>
  on(PikeLifecycle.FinishDisconnect, options);

/** Handles messages that `send` did not take. */
export const OnRejectedMessage = (options: LifecycleOptions = {}): MethodDecorator =>
  on(PikeLifecycle.RejectedMessage, options);
