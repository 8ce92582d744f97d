import type { Abstract, Type } from '@nestjs/common';
import { describeThrown, PikeError } from '../core/errors.js';

/** The options of servers and clients that Nest can resolve. */
export const INJECTABLE_OPTIONS = ['converter', 'serializer', 'deserializer'] as const;

type InjectableOption = (typeof INJECTABLE_OPTIONS)[number];

/** What Nest resolves a value from: the class or token of a provider. */
export type PikeToken<Value> = Type<Value> | Abstract<Value> | string | symbol;

/** Options of which some may be given as the class or token of a provider. */
export type WithTokens<Options> = {
  [Name in keyof Options]: Name extends InjectableOption
    ? Options[Name] | PikeToken<NonNullable<Options[Name]>>
    : Options[Name];
};

/** Where options come from that are not given in place: the application, through `PikeModule`. */
export interface OptionSource {
  /** The options of `PikeModule.forRoot`, which hold where a server or client has none of its own. */
  readonly shared: object;
  /** @throws what Nest throws if it has no such provider */
  resolve(token: PikeToken<unknown>): unknown;
}

/** What those are told whose application does not import `PikeModule`. */
export const IMPORT_PIKE_MODULE =
  'Import PikeModule, or PikeModule.forRoot(), in the root module ' +
  '(a client is registered by PikeModule.registerClient)';

/**
 * Adds what a server or client was not given itself, and resolves tokens.
 * @param owner whose options they are, for the error message
 * @throws PikeError `PIKE_ERR_NOT_INJECTED`, naming the option and the token
 */
export function completeOptions<Options extends object>(
  owner: string,
  options: WithTokens<Options>,
  source: OptionSource | undefined,
): Options {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const complete: Record<string, unknown> = { ...source?.shared, ...Object.fromEntries(given) };
  for (const name of INJECTABLE_OPTIONS) {
    const value = complete[name];
    if (isToken(value)) complete[name] = resolve(owner, name, value, source);
  }
  return complete as Options;
}

/** The options without those that are tokens: what can be checked before Nest resolves them. */
export function withoutTokens<Options extends object>(options: WithTokens<Options>): Options {
  const rest = Object.entries(options).filter(
    ([name, value]) => !(INJECTABLE_OPTIONS.includes(name as InjectableOption) && isToken(value)),
  );
  return Object.fromEntries(rest) as Options;
}

/** Converters, serializers and deserializers are objects; classes and tokens are not. */
function isToken(value: unknown): value is PikeToken<unknown> {
  return typeof value === 'function' || typeof value === 'string' || typeof value === 'symbol';
}

function resolve(
  owner: string,
  name: string,
  token: PikeToken<unknown>,
  source: OptionSource | undefined,
): unknown {
  const option = `${owner}: option "${name}" is the token ${showToken(token)}`;
  if (source === undefined) {
    throw new PikeError(
      'PIKE_ERR_NOT_INJECTED',
      `${option}, and there is no application to resolve it. ${IMPORT_PIKE_MODULE}, or give an instance.`,
    );
  }
  try {
    return source.resolve(token);
  } catch (thrown) {
    throw new PikeError(
      'PIKE_ERR_NOT_INJECTED',
      `${option}, which Nest could not resolve: ${describeThrown(thrown)} ` +
        'It must be among the providers of a module of the application, in the default scope.',
      { cause: thrown },
    );
  }
}

function showToken(token: PikeToken<unknown>): string {
  return typeof token === 'function' ? token.name : String(token);
}
