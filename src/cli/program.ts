import { Command, CommanderError, Option } from 'commander';
import type { CommandContext } from './command-context.js';
import { describeFailure, usageError } from './failure.js';
import { Interrupt } from './interrupt.js';
import {
  withAddress,
  withLoad,
  withMessage,
  withProtocol,
  withServer,
  withTimeout,
  withTls,
} from './options.js';
import { packageVersion } from './version.js';

const EXIT_CODES_HELP = `
Exit codes: 0 done, 1 wrong usage, 2 could not connect or listen, 3 the server answered with an error,
4 no reply in time, 5 any other failure, 128 + n ended by signal n (130: Ctrl-C).`;

const REPLY_TIMEOUT = 'how long connecting, and then each reply, may take, in ms';

/** A command's own module is loaded when it is called: nobody waits for what is not used. */
function createProgram(context: CommandContext): Command {
  const program = new Command('pike')
    .description('Talks to servers and clients of nestjs-pike, in any protocol it knows.')
    .version(packageVersion(), '-V, --version')
    .option('--verbose', 'shows the stack of an error, and what is underneath')
    .exitOverride()
    // What is wrong is told in our own way, once, when it has been thrown.
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES_HELP)
    .addHelpText('after', '\n"pike <command> --help" shows examples of a command.');

  withTimeout(
    withTls(withProtocol(withServer(withMessage(program.command('call')))), 'client'),
    REPLY_TIMEOUT,
  )
    .description('Sends a request, and prints each reply as a line of JSON.')
    .addHelpText(
      'after',
      examples(
        "pike call sum '[1, 2, 3]' --to 127.0.0.1:4000",
        'pike call \'{"cmd":"sum"}\' \'[1, 2]\' --to 127.0.0.1:3000 --converter nest-tcp',
        'pike call import --data-file users.json --to tls://api.example.com:4000 --ca ca.pem',
        'pike call 21 --to unix:/run/doubler.sock --converter int',
        'echo \'{"page": 1}\' | pike call orders - --to 127.0.0.1:4000 --timeout 5000',
      ),
    )
    .action(async (words: string[], options) =>
      (await import('./commands/call.js')).call(words, options, context),
    );

  withTimeout(
    withTls(withProtocol(withServer(withMessage(program.command('emit')))), 'client'),
    'how long connecting may take, in ms',
  )
    .description('Sends an event. Ends when the system has taken it.')
    .addHelpText(
      'after',
      examples(
        'pike emit noted \'"lunch at noon"\' --to 127.0.0.1:4000',
        "pike emit 'temperature 21.5' --to 127.0.0.1:4001 --converter lines",
      ),
    )
    .action(async (words: string[], options) =>
      (await import('./commands/emit.js')).emit(words, options, context),
    );

  withTls(withProtocol(withAddress(program.command('listen'))), 'server')
    .description('Accepts every peer, and prints what it sends, until Ctrl-C.')
    .option('--reply <data>', 'answers each request with this')
    .option('--json', 'prints an object a line, for programs')
    .addHelpText(
      'after',
      examples(
        'pike listen 127.0.0.1:4000',
        'pike listen 0.0.0.0:4000 --json --reply \'{"ok": true}\'',
        'pike listen 127.0.0.1:4001 --converter lines --reply OK',
        'pike listen 127.0.0.1:4323 --converter file:received',
      ),
    )
    .action(async (address: string, options) =>
      (await import('./commands/listen.js')).listen(address, options, context),
    );

  withTimeout(
    withTls(withProtocol(withAddress(program.command('connect'))), 'client'),
    'how long connecting may take, and the replies when piped input has ended, in ms',
  )
    .description('Talks to a server: type requests, and see what comes. ".help" says how.')
    .addHelpText(
      'after',
      examples(
        'pike connect 127.0.0.1:4000',
        'pike connect localhost:6380 --tls --converter lines',
        "printf 'sum [1,2]\\nsum [3,4]\\n' | pike connect 127.0.0.1:4000",
      ),
    )
    .action(async (address: string, options) =>
      (await import('./commands/connect.js')).connect(address, options, context),
    );

  withTimeout(
    withTls(withServer(program.command('send-file').argument('<file...>')), 'client'),
    'how long connecting may take, in ms',
  )
    .description('Sends files of any size, in the format of FileConverter.')
    .addOption(
      new Option('--checksum <kind>', 'how the content is checked')
        .choices(['crc32', 'sha256'])
        .default('crc32'),
    )
    .option(
      '--receipts <converter>',
      'waits for what the server answers to each file, and prints it; such as lines:json',
    )
    .addHelpText(
      'after',
      examples(
        'pike send-file build/report.pdf --to 127.0.0.1:4323',
        'pike send-file *.log --to tls://files.example.com:4323 --checksum sha256 --receipts lines:json',
      ),
    )
    .action(async (files: string[], options) =>
      (await import('./commands/send-file.js')).sendFiles(files, options, context),
    );

  withLoad(
    withTimeout(
      withTls(withProtocol(withServer(withMessage(program.command('bench')))), 'client'),
      REPLY_TIMEOUT,
    ),
  )
    .description('Measures how many requests a server answers, and how soon.')
    .option('--json', 'prints one object, for programs')
    .addHelpText(
      'after',
      examples(
        "pike bench sum '[1, 2, 3]' --to 127.0.0.1:4000",
        "pike bench sum '[1, 2, 3]' --to 127.0.0.1:4000 --connections 8 --in-flight 128 --seconds 20",
      ),
    )
    .action(async (words: string[], options) =>
      (await import('./commands/bench.js')).bench(words, options, context),
    );

  for (const command of program.commands) {
    command
      .option('--verbose', 'shows the stack of an error, and what is underneath')
      .allowExcessArguments(false);
  }
  return program;
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/**
 * Runs the program that the arguments ask for.
 * @param args what was typed, from the name of the command on
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const verbose = args.includes('--verbose');
  const interrupt = new Interrupt();
  const tell = (thrown: unknown): number => {
    const { exitCode, text } = describeFailure(thrown, verbose);
    process.stderr.write(`${text}\n`);
    return exitCode;
  };
  const program = createProgram({ interrupt, warn: tell });
  interrupt.start();
  let exitCode = 0;
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      exitCode = thrown.exitCode === 0 ? 0 : tell(asUsageError(thrown, args));
    } else if (interrupt.exitCode === undefined) exitCode = tell(thrown);
  } finally {
    interrupt.stop();
  }
  return interrupt.exitCode ?? exitCode;
}

function asUsageError(error: CommanderError, [command = '']: readonly string[]): Error {
  // Called with nothing at all: the help has been printed.
  const problem = error.code === 'commander.help' ? 'A command is missing.' : error.message;
  const known = /^[a-z]/.test(command) && error.code !== 'commander.unknownCommand';
  const help = known ? `pike ${command} --help` : 'pike --help';
  const sentence = problem.replace(/^error: /, '').replace(/\.?$/, '.');
  return usageError(`${sentence} See ${help}.`, error);
}
