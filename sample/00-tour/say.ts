/** Prints one line of the tour: who speaks, and what. */
export function say(who: string, what: string): void {
  console.log(`${who.padStart(9)}  ${what}`);
}

/** Prints a heading of the tour. */
export function chapter(title: string): void {
  console.log(`\n${title}`);
}

/** A value as it would be written in code. */
export function describe(value: unknown): string {
  return JSON.stringify(value);
}
