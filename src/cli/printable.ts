/**
 * Images, registries and containers choose names, labels and error texts; a terminal obeys control characters in them
 * (titles, clipboard, overwritten lines), and bidirectional marks reorder what is read. Both are shown as escapes.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const UNSAFE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const escaped = (char: string): string => {
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
};

/** Safe for a terminal; newline and tab stay. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** Safe and without line breaks: for a table's cell or one line of a message. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

/** JSON whose strings are safe for a terminal and still the same JSON value. */
export function printableJson(value: unknown, indent?: number): string {
  const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return (JSON.stringify(value, null, indent) ?? 'null').replace(UNSAFE, unicode);
}
