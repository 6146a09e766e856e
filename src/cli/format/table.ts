import { printableLine } from '../printable.ts';

/** Columns of text: as wide as their widest cell, three spaces between them, nothing behind the last one. */
export function columns(rows: readonly (readonly string[])[], minimum = 0): string {
  const safe = rows.map(row => row.map(printableLine));
  const widths: number[] = [];
  for (const row of safe) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? minimum, width(cell));
    });
  }
  return safe.map(row => `${line(row, widths)}\n`).join('');
}

function line(row: readonly string[], widths: readonly number[]): string {
  const last = row.length - 1;
  return row
    .map((cell, i) => (i === last ? cell : cell + ' '.repeat((widths[i] ?? 0) - width(cell) + 3)))
    .join('');
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns of a terminal that the text takes. */
export function width(text: string): number {
  // Most cells: asking about each character takes longer than all the rest of `ps`.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let total = 0;
  for (const char of text) total += /\p{Mn}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return total;
}
