const SLOTS = 512;

/**
 * Remembers the names of members, which come again and again: finding one among them is faster
 * than making a new string of its bytes. Bounded: a name takes the place of another with the same
 * hash. Holds ASCII names of up to 31 bytes only, so that a byte is a character.
 */
export class KeyCache {
  readonly #slots: string[] = Array.from({ length: SLOTS }, () => '');

  /** The name that these bytes spell, if it is remembered. */
  find(bytes: Uint8Array, start: number, length: number): string | undefined {
    let hash = length;
    for (let i = 0; i < length; i += 1) hash = (hash * 31 + (bytes[start + i] as number)) & 0xffff;
    const key = this.#slots[hash % SLOTS] as string;
    if (key.length !== length) return undefined;
    for (let i = 0; i < length; i += 1) {
      if (key.charCodeAt(i) !== bytes[start + i]) return undefined;
    }
    return key;
  }

  /** Remembers a name, unless it has characters other than ASCII. */
  add(key: string): void {
    let hash = key.length;
    for (let i = 0; i < key.length; i += 1) {
      const code = key.charCodeAt(i);
      if (code >= 0x80) return;
      hash = (hash * 31 + code) & 0xffff;
    }
    this.#slots[hash % SLOTS] = key;
  }
}
