/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Resolves when everything that the system had ready for this process's sockets has been handled:
 * the second of two turns begins behind a whole round of input and output.
 */
export async function inputHandled(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
