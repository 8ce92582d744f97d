import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

const ADDRESS_HELP =
  'host:port, [ipv6]:port, tcp://host:port, tls://host:port or unix:/path/of.sock';
const MOST_MS = 2_147_483_647;

/** Reads a whole number within bounds. */
function wholeNumber(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= lowest && number <= highest) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${lowest} to ${highest}.`);
  };
}

/** The option that says where a server is. */
export function withServer(command: Command): Command {
  return command.requiredOption('-t, --to <address>', `where the server is: ${ADDRESS_HELP}`);
}

/** The argument that says where to connect to, or to listen. */
export function withAddress(command: Command): Command {
  return command.argument('<address>', ADDRESS_HELP);
}

/** The options about how long things may take. */
export function withTimeout(command: Command, description: string): Command {
  return command.addOption(
    new Option('--timeout <ms>', `${description}; 0: for ever`)
      .default(30_000)
      .argParser(wholeNumber(0, MOST_MS)),
  );
}

/** The options about what is spoken. */
export function withProtocol(command: Command): Command {
  return command
    .option(
      '-c, --converter <name>',
      'messagepack, json, nest-tcp; lines[:payload], length-prefixed[:1|2be|2le|4be|4le|varint[:payload]], ' +
        'delimited:<hex>[:payload] with a payload of bytes, text, latin1, json or messagepack; ' +
        'string, int, float, bool; file[:directory]; or the path of a module of your own',
      'messagepack',
    )
    .addOption(
      new Option(
        '--packets',
        "messages are Nest's packets, with a pattern, whatever the converter",
      ).conflicts('raw'),
    )
    .option('--raw', 'messages are nothing but their data, whatever the converter')
    .addOption(
      new Option(
        '--max-message-bytes <n>',
        'how large a received message may be (default: 1048576)',
      ).argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    );
}

/** The options about TLS. @param owner whose certificate `--cert` is */
export function withTls(command: Command, owner: 'client' | 'server'): Command {
  command
    .option('--tls', 'speaks TLS, as an address that begins with tls:// does')
    .option('--ca <file>', 'the authorities to trust, instead of those that Node knows (PEM)')
    .option('--cert <file>', `the certificate of the ${owner}, that is ours (PEM)`)
    .option('--key <file>', 'the key of that certificate (PEM)');
  return owner === 'client'
    ? command.option('--servername <name>', 'the name that the certificate of the server must have')
    : command;
}

/** The arguments and the option that say what is sent. */
export function withMessage(command: Command): Command {
  return command
    .argument(
      '[words...]',
      'the pattern, unless the converter has none, and the data: JSON, or - for standard input',
    )
    .option('-d, --data-file <path>', 'takes the data from a file');
}

/** The options about a load. */
export function withLoad(command: Command): Command {
  const numbers = [
    ['--connections <n>', 'how many connections', 1, 10_000],
    ['--in-flight <n>', 'how many requests at a time on each of them', 64, 100_000],
    ['--seconds <n>', 'how long', 5, 86_400],
  ] as const;
  for (const [flags, description, standard, highest] of numbers) {
    command.addOption(
      new Option(flags, description).default(standard).argParser(wholeNumber(1, highest)),
    );
  }
  return command;
}
