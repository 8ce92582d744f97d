const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What somebody else has written, safe to show: without control characters, with which it could
 * take over a terminal, and without those that turn the direction of the text around it.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, ' ');
}
