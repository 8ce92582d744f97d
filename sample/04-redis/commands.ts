/** What Redis's clients are told of a command. */
export interface Command {
  /** How many words it has, its name included; negative: that many, or more. */
  readonly arity: number;
  readonly summary: string;
  readonly flags: readonly string[];
  /** Which words are keys: the first, the last (-1 is the last word), and the step between them. */
  readonly keys: readonly [first: number, last: number, step: number];
  /** Whether a connection that has subscribed to channels may use it. */
  readonly whileSubscribed: boolean;
}

/** The commands of this server. The one source of their arity, and of what `COMMAND` answers. */
export const COMMANDS = {
  GET: command(2, 'Returns the value of a key.', ['readonly', 'fast'], [1, 1, 1]),
  SET: command(3, 'Sets the value of a key.', ['write', 'denyoom'], [1, 1, 1]),
  DEL: command(-2, 'Deletes keys.', ['write'], [1, -1, 1]),
  MGET: command(-2, 'Returns the values of keys.', ['readonly', 'fast'], [1, -1, 1]),
  INCR: command(2, 'Adds one to an integer.', ['write', 'denyoom', 'fast'], [1, 1, 1]),
  PUBLISH: command(3, 'Sends a message to all who have subscribed to a channel.', ['pubsub']),
  SUBSCRIBE: command(-2, 'Subscribes to channels.', ['pubsub'], [0, 0, 0], true),
  UNSUBSCRIBE: command(-1, 'Ends subscriptions.', ['pubsub'], [0, 0, 0], true),
  PING: command(-1, 'Answers, if the server is alive.', ['fast'], [0, 0, 0], true),
  ECHO: command(2, 'Answers with its argument.', ['fast']),
  HELLO: command(-1, 'Agrees on the version of the protocol.', ['fast']),
  SELECT: command(2, 'Selects a database, of which there is one.', ['fast']),
  CLIENT: command(-2, 'Tells about the connection, and names it.', ['fast']),
  COMMAND: command(-1, 'Tells about the commands.', ['loading']),
  CONFIG: command(-2, 'Tells how the server is configured.', ['admin']),
  INFO: command(-1, 'Tells about the server.', ['loading']),
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

function command(
  arity: number,
  summary: string,
  flags: readonly string[],
  keys: Command['keys'] = [0, 0, 0],
  whileSubscribed = false,
): Command {
  return { arity, summary, flags, keys, whileSubscribed };
}
