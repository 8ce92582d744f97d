/** A function that calls back the first time it is called, and does nothing the next times. */
export function once(callback: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    callback();
  };
}
