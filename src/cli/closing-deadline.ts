/** How long the end of a connection may take, in ms, when a command is over: peers take what they were sent, or lose it. */
export const CLOSING_DEADLINE = 2_000;
