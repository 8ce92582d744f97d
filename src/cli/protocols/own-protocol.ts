import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Converter } from '../../core/index.js';
import { usageError } from '../failure.js';
import { JSON_FORMAT } from './data-format.js';
import type { Protocol } from './protocol.js';

/** Whether the option names a file rather than a ready converter. */
export function isPath(specifier: string): boolean {
  return /^\.{0,2}[/\\]|\.[cm]?[jt]s$/.test(specifier);
}

/**
 * The protocol that a module exports: as `default` its converter, or a class or function that makes
 * it; as `serializer`, `deserializer` and `correlation`, if they are there, what a `PikeServer` would
 * be given under these names. With any of these three its messages stand for packets.
 * @throws CommandError (rejection) `USAGE`
 */
export async function ownProtocol(path: string): Promise<Protocol> {
  const exported = await load(path);
  const { serializer, deserializer, correlation } = exported as Partial<Protocol>;
  return {
    converter: converterOf(path, exported['default']),
    hasPackets: [serializer, deserializer, correlation].some((given) => given !== undefined),
    format: JSON_FORMAT,
    serializer,
    deserializer,
    correlation,
  };
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    const exported = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
    const { default: standard } = exported;
    // The default of a CommonJS module is all that it exports, and TypeScript's has one of its own.
    const inner = isObject(standard) && standard['__esModule'] === true ? standard : undefined;
    return inner ?? exported;
  } catch (cause) {
    throw usageError(`--converter ${path} cannot be loaded: ${messageOf(cause)}`, cause);
  }
}

function converterOf(path: string, exported: unknown): Converter<unknown> {
  const made = typeof exported === 'function' ? make(path, exported as Creator) : exported;
  if (isConverter(made)) return made;
  throw usageError(
    `--converter ${path}: its default export must be a Converter, or a class or function that makes one.`,
  );
}

/** What makes a converter: a class, or a function that is called without `new`. */
type Creator = (...nothing: never[]) => unknown;

function make(path: string, creator: Creator): unknown {
  try {
    const isClass = /^class\b/.test(Function.prototype.toString.call(creator));
    return isClass
      ? (Reflect.construct(creator, []) as unknown)
      : (Reflect.apply(creator, undefined, []) as unknown);
  } catch (cause) {
    throw usageError(`--converter ${path} could not be made: ${messageOf(cause)}`, cause);
  }
}

function isConverter(value: unknown): value is Converter<unknown> {
  return (
    isObject(value) &&
    typeof value['createSerializer'] === 'function' &&
    typeof value['createDeserializer'] === 'function'
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
