/** Resolves in the next turn of the event loop: others have theirs before. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
