/** The same text, on its own: one that was cut out of another, or of a message, holds on to all of it. */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
