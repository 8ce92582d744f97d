import { styleText } from 'node:util';

/** The styles of what the commands print. */
type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Gives a text a style. */
export type Paint = (style: Style, text: string) => string;

/** Colours are for people: only where a terminal shows them, and not against `NO_COLOR`. */
export function painter(output: { readonly isTTY?: boolean }): Paint {
  const colours = output.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text);
}
