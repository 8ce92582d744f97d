const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Whether JSON text nests deeper than `maxDepth`, found without parsing it: deep values make
 * `JSON.stringify`, `structuredClone` and other recursive code overflow the stack long after they
 * were received. Of text that is no JSON it may say either.
 */
export function nestsDeeper(text: string, maxDepth: number): boolean {
  // Every level takes an opening and a closing bracket, and most messages have few brackets, which
  // are counted much faster than text is looked through.
  if (text.length <= 2 * maxDepth) return false;
  const arrays = countUpTo(text, '[', maxDepth + 1);
  if (arrays + countUpTo(text, '{', maxDepth + 1 - arrays) <= maxDepth) return false;
  return depthExceeds(text, maxDepth);
}

function countUpTo(text: string, bracket: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(bracket); at !== -1 && count < most; count += 1) {
    at = text.indexOf(bracket, at + 1);
  }
  return count;
}

function depthExceeds(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at + 1);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        if (depth > maxDepth) return true;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      default:
    }
  }
  return false;
}

function closingQuote(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

/**
 * Whether a parsed JSON value has a member named `__proto__` anywhere. The value is walked only if
 * its text may hold that name, plain or with escaped letters (which are all below `\u0080`).
 */
export function hasProtoKey(text: string, value: unknown): boolean {
  return (text.includes('__proto__') || text.includes('\\u00')) && findProtoKey(value);
}

function findProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(findProtoKey);
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(findProtoKey);
}
