/** What requests are answered with that nobody handles. Nest's own words, which its users' code and tests may compare with. */
export const NO_MESSAGE_HANDLER =
  'There is no matching message handler defined in the remote service.';

/** What requests are answered with while the server shuts down: they were not begun. */
export const SHUTTING_DOWN = Object.freeze({
  status: 'error',
  code: 'PIKE_ERR_SHUTTING_DOWN',
  message: 'The server is shutting down and has not begun this request.',
});

/** What requests are answered with that come when too many wait already: they were not begun. */
export const OVERLOADED = Object.freeze({
  status: 'error',
  code: 'PIKE_ERR_OVERLOADED',
  message:
    'Too many requests of this connection wait for a handler (maxInFlight): this one was not begun.',
});

/** What requests are answered with that the server does not finish: streams, and what outlives the deadline. */
export const INTERRUPTED = Object.freeze({
  status: 'error',
  code: 'PIKE_ERR_INTERRUPTED',
  message: 'The server has shut down before this request was finished.',
});
