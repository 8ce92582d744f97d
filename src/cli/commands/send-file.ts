import { stat } from 'node:fs/promises';
import { NetConnector } from '../../core/index.js';
import type { Converter } from '../../core/index.js';
import { FileConverter } from '../../converters/index.js';
import type { FileChecksum, FileMessage, FileProgress } from '../../converters/index.js';
import { parseAddress } from '../address.js';
import type { CommandContext } from '../command-context.js';
import { dial } from '../dial.js';
import { usageError } from '../failure.js';
import { loadProtocol } from '../protocols/load-protocol.js';
import { showValue } from '../show-value.js';
import { readTls } from '../tls-files.js';
import type { TlsOptions } from '../tls-files.js';
import { FileSender } from '../transfer/file-sender.js';
import { Progress, showBytes } from '../transfer/progress.js';
import { ProgressLine } from '../transfer/progress-line.js';

/** The options of `send-file`. */
export interface SendFileOptions extends TlsOptions {
  to: string;
  timeout: number;
  checksum: FileChecksum;
  /** The converter of what the server answers to each file. Default: it answers nothing. */
  receipts?: string;
}

interface OutgoingFile extends FileMessage {
  readonly size: number;
}

/** Sends files in the format of `FileConverter`, and prints a line for each. */
export async function sendFiles(
  paths: readonly string[],
  options: SendFileOptions,
  { interrupt }: CommandContext,
): Promise<void> {
  const { endpoint, secure } = parseAddress(options.to, 1);
  const tls = await readTls(options, secure);
  const files = await Promise.all(paths.map(measure));
  const { receipts, timeout } = options;
  const { signal } = interrupt;
  const replies =
    receipts === undefined ? undefined : (await loadProtocol({ converter: receipts })).converter;

  const line = new ProgressLine(process.stderr, () => performance.now());
  const fileConverter = new FileConverter({
    checksum: options.checksum,
    maxFileBytes: Number.MAX_SAFE_INTEGER,
    onProgress: showProgress(line),
  });
  const converter = replies === undefined ? fileConverter : eachWay(fileConverter, replies);
  const connector = new NetConnector<unknown>({ converter, tls });
  const stop = (): void => void connector.shutdown({ now: true });
  await connector.run();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const connection = await dial(connector, endpoint, { timeout, signal });
    const sender = new FileSender(connector, connection, replies !== undefined, {
      sent: ({ path, size = 0 }) => print(line, `${path}: ${showBytes(size)} sent`),
      receipt: (_, receipt) => print(line, showValue(receipt)),
    });
    connector.subscribe(sender.happened);
    for (const file of files) await sender.send(file);
    await connector.shutdown({ finishQueues: true });
  } finally {
    line.clear();
    await connector.shutdown({ now: true });
    await fileConverter.settled();
  }
}

async function measure(path: string): Promise<OutgoingFile> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return { path, size: stats.size };
  } catch (cause) {
    throw usageError(`${path} cannot be sent: ${(cause as Error).message}.`, cause);
  }
  throw usageError(`${path} cannot be sent: it is no regular file.`);
}

/** Files one way, what the server answers the other way. */
function eachWay(sent: FileConverter, received: Converter<unknown>): Converter<unknown> {
  return {
    createSerializer: (message, connection) =>
      sent.createSerializer(message as FileMessage, connection),
    createDeserializer: (connection, limits) => received.createDeserializer(connection, limits),
    atomic: sent.atomic,
  };
}

/** Files come one after the other: one that begins anew is the next. */
function showProgress(line: ProgressLine): (report: FileProgress) => void {
  let progress: Progress | undefined;
  return ({ name, bytes, size }) => {
    const now = performance.now();
    if (progress === undefined || bytes < progress.bytes || progress.totalBytes !== size) {
      progress = new Progress(size, now);
    }
    progress.reached(bytes, now);
    line.show(name, progress);
  };
}

function print(line: ProgressLine, text: string): void {
  line.clear();
  process.stdout.write(`${text}\n`);
}
