import {
  DelimitedConverter,
  FileConverter,
  JsonConverter,
  LengthPrefixedConverter,
  LineConverter,
  MessagePackConverter,
  MllpConverter,
  Primitives,
  RespConverter,
} from '../../converters/index.js';
import type { LengthPrefixedOptions } from '../../converters/index.js';
import type { Converter } from '../../core/index.js';
import { usageError } from '../failure.js';
import {
  BOOLEAN_FORMAT,
  FLOAT_FORMAT,
  INTEGER_FORMAT,
  JSON_FORMAT,
  PATH_FORMAT,
  TEXT_FORMAT,
} from './data-format.js';
import type { DataFormat } from './data-format.js';
import { payloadOf } from './payloads.js';
import type { Protocol } from './protocol.js';

/** Makes a protocol of what stands behind its name, after colons. @throws CommandError `USAGE` */
type Create = (...parameters: string[]) => Protocol | Promise<Protocol>;

const READY: Readonly<Record<string, { create: Create; most: number }>> = {
  messagepack: { create: () => packets(new MessagePackConverter()), most: 0 },
  json: { create: () => packets(new JsonConverter()), most: 0 },
  'nest-tcp': {
    // Its packets are Nest's own business, so this name alone costs the time to load Nest.
    create: async () => {
      const { nestTcp } = await import('../../index.js');
      return {
        hasPackets: true,
        format: JSON_FORMAT,
        ...(nestTcp() as Pick<Protocol, 'converter'>),
      };
    },
    most: 0,
  },
  lines: { create: lines, most: 1 },
  delimited: { create: delimited, most: 2 },
  'length-prefixed': { create: lengthPrefixed, most: 2 },
  string: { create: () => raw(Primitives.STRING_CONVERTER, TEXT_FORMAT), most: 0 },
  int: { create: () => raw(Primitives.INT_CONVERTER, INTEGER_FORMAT), most: 0 },
  float: { create: () => raw(Primitives.FLOAT_CONVERTER, FLOAT_FORMAT), most: 0 },
  bool: { create: () => raw(Primitives.BOOL_CONVERTER, BOOLEAN_FORMAT), most: 0 },
  mllp: { create: mllp, most: 1 },
  resp: { create: () => raw(new RespConverter(), JSON_FORMAT), most: 0 },
  file: { create: files, most: Infinity },
};

/**
 * The protocol of a ready converter: its name, and behind colons what it needs.
 * @throws CommandError (rejection) `USAGE`
 */
export async function readyProtocol(specifier: string): Promise<Protocol> {
  const [name = '', ...parameters] = specifier.split(':');
  const ready = Object.hasOwn(READY, name) ? READY[name] : undefined;
  if (ready === undefined) {
    throw usageError(
      `There is no converter "${name}". Ready are ${Object.keys(READY).join(', ')}; ` +
        'one of your own is a path, such as ./my-converter.js.',
    );
  }
  if (parameters.length > ready.most) {
    throw usageError(`--converter ${specifier}: ${name} takes no "${parameters.at(-1)}".`);
  }
  return ready.create(...parameters);
}

function packets<T>(converter: Converter<T>): Protocol {
  return { converter, hasPackets: true, format: JSON_FORMAT };
}

function raw<T>(converter: Converter<T>, format: DataFormat): Protocol {
  return { converter, hasPackets: false, format };
}

function lines(content = 'text'): Protocol {
  const { codec, format } = payloadOf(content);
  return raw(new LineConverter({ payload: codec }), format);
}

function delimited(delimiter = '', content = 'bytes'): Protocol {
  if (!/^(?:[\da-f]{2})+$/i.test(delimiter)) {
    throw usageError(
      `--converter delimited needs its delimiter in hexadecimal digits, such as delimited:00 or delimited:0d0a:text; got "${delimiter}".`,
    );
  }
  const { codec, format } = payloadOf(content);
  const options = { delimiter: Buffer.from(delimiter, 'hex'), payload: codec };
  return raw(new DelimitedConverter(options), format);
}

const PREFIXES: Readonly<Record<string, Pick<LengthPrefixedOptions, 'bytes' | 'order'>>> = {
  '1': { bytes: 1 },
  '2be': { bytes: 2, order: 'BE' },
  '2le': { bytes: 2, order: 'LE' },
  '4be': { bytes: 4, order: 'BE' },
  '4le': { bytes: 4, order: 'LE' },
  varint: { bytes: 'varint' },
};

function lengthPrefixed(prefix = '4be', content = 'bytes'): Protocol {
  const options = Object.hasOwn(PREFIXES, prefix) ? PREFIXES[prefix] : undefined;
  if (options === undefined) {
    const known = Object.keys(PREFIXES).join(', ');
    throw usageError(`--converter length-prefixed has no prefix "${prefix}". There are ${known}.`);
  }
  const { codec, format } = payloadOf(content);
  return raw(new LengthPrefixedConverter({ ...options, payload: codec }), format);
}

function mllp(encoding = 'utf8'): Protocol {
  if (encoding !== 'utf8' && encoding !== 'latin1') {
    throw usageError(`--converter mllp has no encoding "${encoding}". There are utf8, latin1.`);
  }
  return raw(new MllpConverter({ encoding }), TEXT_FORMAT);
}

/** A path may hold colons itself. */
function files(...path: string[]): Protocol {
  const directory = path.length === 0 ? undefined : path.join(':');
  return raw(new FileConverter({ directory }), PATH_FORMAT);
}
