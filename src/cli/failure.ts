import { isPikeError, PikeError } from '../core/index.js';
import type { PikeErrorCode } from '../core/index.js';

/** The exit codes of the command line. (docs/command-line.md is held to them by a test.) */
export const EXIT_CODES = {
  ok: 0,
  usage: 1,
  unreachable: 2,
  remoteError: 3,
  timeout: 4,
  failed: 5,
} as const;

/** One of the {@link EXIT_CODES}; of a program that a signal ended, 128 and the signal's number. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** The codes of the failures that only the command line has, beside those of a `PikeError`. */
export type CommandErrorCode = 'USAGE' | 'REMOTE_ERROR' | 'NO_RECEIPT';

const EXIT_CODE_OF: Readonly<Record<CommandErrorCode, ExitCode>> = {
  USAGE: EXIT_CODES.usage,
  REMOTE_ERROR: EXIT_CODES.remoteError,
  NO_RECEIPT: EXIT_CODES.failed,
};

/** A failure of the command line's own. */
export class CommandError extends Error {
  readonly code: CommandErrorCode;

  /** @param message what went wrong, and what to do next */
  constructor(code: CommandErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The program was called in a wrong way: with an option, a file or data that it cannot use. */
export function usageError(message: string, cause?: unknown): CommandError {
  return new CommandError('USAGE', message, { cause });
}

/** The connection is over, though nothing was wrong with it. */
export function endedByServer(): PikeError {
  return new PikeError('PIKE_ERR_REMOTE_ENDED', 'The server has ended the connection.');
}

/** What is told of a failure, and with which code the program ends. */
export interface Failure {
  exitCode: ExitCode;
  /** `code: message`, with what to do next. */
  text: string;
}

/** Failures of the transport that do not end with {@link EXIT_CODES.failed}, and what to do next. */
const TRANSPORT: Partial<Record<PikeErrorCode, { exitCode: ExitCode; advice?: string }>> = {
  PIKE_ERR_CONNECT_FAILED: {
    exitCode: EXIT_CODES.unreachable,
    advice: 'Check that the server runs there, and the address, and whether it speaks TLS.',
  },
  PIKE_ERR_CONNECT_TIMEOUT: {
    exitCode: EXIT_CODES.unreachable,
    advice: 'Check the address, and whether the server speaks TLS; --timeout allows more time.',
  },
  PIKE_ERR_LISTEN_FAILED: {
    exitCode: EXIT_CODES.unreachable,
    advice: 'Choose another address, or end the program that has it.',
  },
  PIKE_ERR_REQUEST_TIMEOUT: {
    exitCode: EXIT_CODES.timeout,
    advice: 'Check that --converter is what the server speaks; --timeout allows more time, 0 any.',
  },
  PIKE_ERR_MALFORMED: {
    exitCode: EXIT_CODES.failed,
    advice: 'The other side speaks something else: check --converter.',
  },
  PIKE_ERR_MESSAGE_TOO_LARGE: {
    exitCode: EXIT_CODES.failed,
    advice: 'If it is right, allow more with --max-message-bytes; if not, check --converter.',
  },
  PIKE_ERR_SHUTTING_DOWN: {
    exitCode: EXIT_CODES.remoteError,
    advice: 'Try again when it is back: nobody has acted on it.',
  },
  PIKE_ERR_OVERLOADED: {
    exitCode: EXIT_CODES.remoteError,
    advice: 'Try again later: nobody has acted on it.',
  },
  PIKE_ERR_INTERRUPTED: { exitCode: EXIT_CODES.remoteError },
  PIKE_ERR_INVALID_OPTION: { exitCode: EXIT_CODES.usage },
  PIKE_ERR_INVALID_ENDPOINT: { exitCode: EXIT_CODES.usage },
  PIKE_ERR_SERIALIZER: {
    exitCode: EXIT_CODES.usage,
    advice: 'The converter does not take this message: check the data, and --converter.',
  },
};

/** npm installs peers by itself, unless it is told not to. */
const INSTALL_NEST =
  'This command needs Nest: npm install @nestjs/common @nestjs/core @nestjs/microservices rxjs reflect-metadata.';

/** Says what has failed. @param verbose whether with the stack, and what is underneath */
export function describeFailure(thrown: unknown, verbose: boolean): Failure {
  const { exitCode, text } = classify(thrown);
  return { exitCode, text: verbose ? `${text}\n${traceOf(thrown)}` : text };
}

function classify(thrown: unknown): Failure {
  if (thrown instanceof CommandError) {
    return { exitCode: EXIT_CODE_OF[thrown.code], text: `${thrown.code}: ${thrown.message}` };
  }
  if (isPikeError(thrown)) return classifyTransport(thrown);
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code, name, message } = error as NodeJS.ErrnoException;
  const advice = code === 'ERR_MODULE_NOT_FOUND' ? `. ${INSTALL_NEST}` : '';
  return { exitCode: EXIT_CODES.failed, text: `${code ?? name}: ${message}${advice}` };
}

function classifyTransport(error: PikeError): Failure {
  const { exitCode = EXIT_CODES.failed, advice } = TRANSPORT[error.code] ?? {};
  const sentences = [error.message, advice]
    .filter((part) => part !== undefined)
    .map((part) => (/[.!?]$/.test(part) ? part : `${part}.`));
  return { exitCode, text: `${error.code}: ${sentences.join(' ')}` };
}

function traceOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const below = thrown.cause === undefined ? '' : `\ncaused by ${traceOf(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${below}`;
}
