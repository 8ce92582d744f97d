import { Inject } from '@nestjs/common';
import { provideServer } from './server-providers.js';

/**
 * The token of an injected server, for `inject`, `app.get` and `overrideProvider`. Ask for that of a
 * name, or inject it anywhere, before the application is created: then Nest learns of it.
 * @param name the server's `name` option. Default: the only server of the application
 */
export function getPikeServerToken(name?: string): string {
  return provideServer(name);
}

/**
 * The token of a client that `PikeModule.registerClient` has registered, for `inject`, `app.get` and
 * `overrideProvider`.
 */
export function getPikeClientToken(name: string): string {
  return `PikeClient(${name})`;
}

/**
 * Injects a `PikeServer` of the application, which must import `PikeModule`. Servers are made after
 * the providers, so what is injected stands in for the server: use it from `onModuleInit` on.
 * @param name the server's `name` option. Default: the only server of the application
 */
export const InjectPikeServer = (name?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getPikeServerToken(name));

/** Injects the `PikeClient` that `PikeModule.registerClient` has registered under this name. */
export const InjectPikeClient = (name: string): ParameterDecorator & PropertyDecorator =>
  Inject(getPikeClientToken(name));
