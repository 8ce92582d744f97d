/**
 * The pattern of a packet as text: an object as JSON. Peers choose it, so it may be missing, or
 * something that JSON does not know: then it is the empty text, for which nobody has a handler.
 */
export function showPattern(pattern: unknown): string {
  if (typeof pattern === 'string') return pattern;
  try {
    return JSON.stringify(pattern) ?? '';
  } catch {
    return '';
  }
}
