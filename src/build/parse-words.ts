import { Mistake } from './parse-mistake.ts';

/** A word and where it begins in the joined line. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

const BLANK = /[\t\v\f\r ]+/g;

/** Words between blanks, whatever quotes there are: FROM, COPY, EXPOSE, VOLUME. */
export function blankWords(text: string, base: number): Word[] {
  const words: Word[] = [];
  let at = 0;
  const add = (end: number): void => {
    if (end > at) words.push({ text: text.slice(at, end), at: base + at });
  };
  for (const gap of text.matchAll(BLANK)) {
    add(gap.index);
    at = gap.index + gap[0].length;
  }
  add(text.length);
  return words;
}

/** Words between blanks that are not quoted; they keep quotes and escapes: ENV, LABEL, ARG, flags, heredocs. */
export function quotedWords(text: string, base: number, escapeChar: string): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at] ?? '')) {
      at++;
      continue;
    }
    const end = wordEnd(text, at, escapeChar);
    const word = text.slice(at, end);
    // An escape at the very end means nothing.
    const isCut =
      end === text.length && word.endsWith(escapeChar) && !escapedAt(word, word.length - 1, escapeChar);
    const kept = isCut ? word.slice(0, -1) : word;
    if (kept !== '') words.push({ text: kept, at: base + at });
    at = end;
  }
  return words;
}

function escapedAt(word: string, at: number, escapeChar: string): boolean {
  let count = 0;
  while (at - 1 - count >= 0 && word[at - 1 - count] === escapeChar) count++;
  return count % 2 === 1;
}

/** Where the word that begins at `at` ends. */
export function wordEnd(text: string, at: number, escapeChar: string): number {
  let quote = '';
  for (let i = at; i < text.length; i++) {
    const char = text[i] ?? '';
    if (quote === '' && /\s/.test(char)) return i;
    if (char === escapeChar && quote !== "'") i++;
    else if (quote === '') quote = char === '"' || char === "'" ? char : '';
    else if (char === quote) quote = '';
  }
  return text.length;
}

/** `["a", "b"]` → its words; undefined for what is no JSON array. Throws Mistake for an array with something else than strings. */
export function jsonArray(text: string, base: number): string[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (value.every(word => typeof word === 'string')) return value;
  throw new Mistake('an array in exec form holds strings only', { from: base, to: base + text.length });
}
