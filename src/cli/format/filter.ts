import { TsboxError } from '../../errors.ts';
import type { Filters } from '../../index.ts';

/** `--filter key=value …` → key to values. The engine knows the keys. Throws USAGE for a word without `=`. */
export function parseFilters(words: readonly string[]): Filters {
  const filters: Record<string, string[]> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 1) throw badFilter(word);
    const key = word.slice(0, equals).trim().toLowerCase();
    filters[key] = [...(filters[key] ?? []), word.slice(equals + 1).trim()];
  }
  return filters;
}

const badFilter = (word: string): TsboxError =>
  new TsboxError('USAGE', `invalid filter '${word}': it must be key=value`, {
    hint: "for example --filter 'name=web'",
  });
