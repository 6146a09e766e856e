import { TsboxError } from '../errors.ts';

/**
 * The patterns of `${x#…}`, `${x%…}` and `${x/…/…}`: `*` any text, `?` one character, no brackets. Matched without regular expressions:
 * a Dockerfile of a stranger must not be able to make one that never ends.
 */
type Token =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' };

function tokens(pattern: string): Token[] {
  const list: Token[] = [];
  const chars = [...pattern];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === '*') {
      if (list.at(-1)?.kind !== 'star') list.push({ kind: 'star' });
    } else if (char === '?') list.push({ kind: 'any' });
    else if (char === '\\') list.push({ kind: 'char', char: escaped(chars[++i], pattern) });
    else list.push({ kind: 'char', char });
  }
  return list;
}

function escaped(char: string | undefined, pattern: string): string {
  if (char !== undefined && '*?\\}/'.includes(char)) return char;
  throw new TsboxError('DOCKERFILE', `the pattern ${JSON.stringify(pattern)} escapes what has no meaning`);
}

/**
 * Where a match that begins at `from` ends: every end that is possible, ascending. The set of states after each character; linear in text
 * times pattern.
 */
function ends(list: readonly Token[], text: readonly string[], from: number): number[] {
  let states = closure(new Set([0]), list);
  const found: number[] = [];
  for (let at = from; ; at++) {
    if (states.has(list.length)) found.push(at);
    const char = text[at];
    if (char === undefined || states.size === 0) return found;
    states = closure(step(states, list, char), list);
  }
}

function step(states: ReadonlySet<number>, list: readonly Token[], char: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const token = list[state];
    if (token?.kind === 'star') next.add(state);
    else if (token?.kind === 'any' || (token?.kind === 'char' && token.char === char)) next.add(state + 1);
  }
  return next;
}

/** A star may stand for nothing. */
function closure(states: Set<number>, list: readonly Token[]): Set<number> {
  for (const state of states) if (list[state]?.kind === 'star') states.add(state + 1);
  return states;
}

/** `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`. */
export function removeAffix(
  value: string,
  pattern: string,
  side: 'prefix' | 'suffix',
  greedy: boolean,
): string {
  const chars = [...value];
  const list = tokens(pattern);
  if (side === 'suffix') {
    const kept = removeStart(chars.reverse(), [...list].reverse(), greedy);
    return kept.reverse().join('');
  }
  return removeStart(chars, list, greedy).join('');
}

function removeStart(chars: string[], list: readonly Token[], greedy: boolean): string[] {
  const found = ends(list, chars, 0);
  const end = greedy ? found.at(-1) : found[0];
  return end === undefined ? chars : chars.slice(end);
}

/** `${x/p/r}` and `${x//p/r}`: the longest match at the first place where there is one. */
export function replaceMatches(value: string, pattern: string, replacement: string, all: boolean): string {
  const chars = [...value];
  const list = tokens(pattern);
  const out: string[] = [];
  let lastEnd = -1;
  for (let at = 0; at <= chars.length; ) {
    const end = ends(list, chars, at).at(-1);
    // Nothing is matched where a match has just ended.
    const isMatch = end !== undefined && (end > at || at !== lastEnd);
    if (isMatch) out.push(replacement);
    if (isMatch && !all) return out.join('') + chars.slice(end).join('');
    if (isMatch && end > at) [at, lastEnd] = [end, end];
    else out.push(chars[at++] ?? '');
  }
  return out.join('');
}
