import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';

/** The most bytes that a file name may take, in UTF-8: what common file systems can hold. */
export const MOST_NAME_BYTES = 255;
const MOST_EXTENSION_BYTES = 32;

/** What {@link partName} makes. A name may hold any character that a directory can. */
const PART = /^\..+\.[0-9a-f]{12}\.part$/su;

/** Separators, what Windows gives a meaning of its own, and control characters. */
// oxlint-disable-next-line eslint/no-control-regex
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f\u007f-\u009f]/;
/** Characters that are not seen, or that change how others are shown: `"gpj.exe"` reversed reads `"exe.jpg"`. */
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Names that Windows takes for devices in every directory, whatever stands behind a dot. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i;

/**
 * What is wrong with a name that a file should be stored under, or `undefined`. Allowed are names
 * that mean a file of the directory, and the same one, on every system, and that a reader sees as
 * they are. Nothing is mended: two peers that mend differently disagree about what a name means.
 */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (Buffer.byteLength(name) > MOST_NAME_BYTES) return `takes more than ${MOST_NAME_BYTES} bytes`;
  if (FORBIDDEN.test(name)) return 'has a separator or another character that is not allowed';
  if (INVISIBLE.test(name)) return 'has invisible characters';
  if (name.startsWith('.')) return 'begins with a dot';
  if (name.trim() !== name) return 'begins or ends with a space';
  // Some systems take a character for another that looks like it.
  const plain = name.normalize('NFKC');
  if (/[/\\]/.test(plain)) return 'has a character that stands for a separator';
  if (plain.startsWith('.') || plain.endsWith('.')) return 'begins or ends with a dot';
  if (DEVICE.test(plain)) return 'is the name of a device on Windows';
  return undefined;
}

/**
 * The name of the file that is written until all of `name` has arrived. It begins with a dot, as no
 * name from a peer does: what has such a name is never a file that was received whole.
 */
export function partName(name: string, mark: string): string {
  return fitted(`.${name}`, `.${mark}.part`);
}

/** Whether {@link partName}, with a {@link randomMark}, has made a name. */
export function isPartName(name: string): boolean {
  return PART.test(name);
}

/** A few random characters: enough that no two files meet. */
export function randomMark(): string {
  return randomBytes(6).toString('hex');
}

/** Another name for a file whose own is taken: `report.txt` becomes `report-<mark>.txt`. */
export function markedName(name: string, mark: string): string {
  const extension = extname(name);
  const own = Buffer.byteLength(extension) > MOST_EXTENSION_BYTES ? '' : extension;
  return fitted(name.slice(0, name.length - own.length), `-${mark}${own}`);
}

/** Puts an ending behind a name, of which it leaves out as many characters as the length demands. */
function fitted(name: string, ending: string): string {
  const characters = Array.from(name);
  let excess = Buffer.byteLength(name) + Buffer.byteLength(ending) - MOST_NAME_BYTES;
  while (excess > 0) excess -= Buffer.byteLength(characters.pop() ?? ending);
  return characters.join('') + ending;
}
