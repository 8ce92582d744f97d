const NICKNAME = /^[\p{L}\p{M}\p{N}_-]{1,20}$/u;

/** What a nickname may be, for those who have given another. */
export const NICKNAME_RULE = '1 to 20 letters, digits, "-" and "_"';

/** The nickname that a line gives, or `undefined` if it gives none. */
export function parseNickname(line: string): string | undefined {
  // What looks the same is the same, however it was typed.
  const nickname = line.trim().normalize('NFKC');
  return NICKNAME.test(nickname) ? nickname : undefined;
}

/** Whether two nicknames are too alike for one room. */
export function areAlike(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
