import { suggest } from '../util/suggest.ts';

/** A mistake in a line, at a place of its joined text; parse.ts makes it a message with file, line and caret. */
export class Mistake extends Error {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly suggestion: string | undefined;

  constructor(message: string, place: { from?: number; to?: number; suggestion?: string | undefined } = {}) {
    super(message);
    this.name = 'Mistake';
    this.from = place.from;
    this.to = place.to ?? (place.from === undefined ? undefined : place.from + 1);
    this.suggestion = place.suggestion;
  }
}

/** What was probably meant. Exchanged letters are two edits and one slip: FORM is FROM. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const sorted = (text: string): string => [...text].sort().join('');
  return suggest(word, candidates) ?? candidates.find(known => sorted(known) === sorted(word));
}
