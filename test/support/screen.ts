// An escape sequence, the beginning of one at the end, or one character.
// eslint-disable-next-line no-control-regex
const PIECE = /\u001b\[(\??)(\d*)(?:;\d*)*([A-Za-z])|\u001b(?:\[[\d;?]*)?$|[^]/gu;

/** What a person sees of what a program writes to a terminal: as much of one as readline uses. */
export class Screen {
  readonly #columns: number;
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** The beginning of an escape sequence, of which the rest is to come. */
  #begun = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** The rows that are shown, without what is blank at their ends. */
  get rows(): string[] {
    return this.#rows.map((row) =>
      Array.from(row, (character) => character ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  /** Where the cursor is, counted from 0. */
  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column };
  }

  write(text: string): void {
    const pieces = (this.#begun + text).matchAll(PIECE);
    this.#begun = '';
    for (const [piece, isPrivate, count, command] of pieces) {
      if (command !== undefined) {
        if (isPrivate === '') this.#obey(command, count === '' ? undefined : Number(count));
      } else if (piece.startsWith('\u001b')) this.#begun = piece;
      else this.#show(piece);
    }
  }

  #show(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#goTo(this.#row + 1);
    else if (character === '\b') this.#column--;
    else {
      // As terminals do: a full row is left only when there is something for the next.
      if (this.#column === this.#columns) {
        this.#goTo(this.#row + 1);
        this.#column = 0;
      }
      (this.#rows[this.#row] as string[])[this.#column++] = character;
    }
  }

  #obey(command: string, count: number | undefined): void {
    const row = this.#rows[this.#row] as string[];
    switch (command) {
      case 'm':
        // A style: it moves nothing.
        return;
      case 'A':
        this.#goTo(this.#row - (count ?? 1));
        return;
      case 'B':
        this.#goTo(this.#row + (count ?? 1));
        return;
      case 'C':
        this.#column = Math.min(this.#columns - 1, this.#column + (count ?? 1));
        return;
      case 'D':
        this.#column = Math.max(0, this.#column - (count ?? 1));
        return;
      case 'G':
        this.#column = (count ?? 1) - 1;
        return;
      case 'J':
        row.length = Math.min(row.length, this.#column);
        this.#rows.length = this.#row + 1;
        return;
      case 'K':
        row.length = Math.min(row.length, this.#column);
        return;
      default:
        throw new Error(`The screen does not know ${command}.`);
    }
  }

  #goTo(row: number): void {
    this.#row = Math.max(0, row);
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }
}
