import { TsboxError } from '../errors.ts';

/** Values of flags: text → what the API takes. Each throws TsboxError USAGE that names the flag and the value. */

const wrong = (flag: string, value: string, wants: string): TsboxError =>
  new TsboxError('USAGE', `invalid value '${value}' for ${flag}`, { hint: `it takes ${wants}` });

export function integer(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[+-]?\d{1,15}$/.test(value)) throw wrong(flag, value, 'a whole number');
  return Number(value);
}

const POWERS: Record<string, number> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** docker's sizes: `64m`, `1.5GiB`, `1024`; powers of 1024. */
export function bytes(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(value);
  const [, number, unit = ''] = match ?? [];
  if (number === undefined) throw wrong(flag, value, 'bytes with an optional unit: 64m, 1g');
  return Math.floor(Number(number) * 1024 ** (POWERS[unit.toLowerCase()] ?? 0));
}

/** `key=value` words → a map; a bare `key` is the empty string. The last one wins. */
export function pairs(flag: string, words: readonly string[]): Record<string, string> | undefined {
  if (words.length === 0) return undefined;
  const map: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = equals < 0 ? word : word.slice(0, equals);
    if (key === '') throw wrong(flag, word, 'key=value');
    map[key] = equals < 0 ? '' : word.slice(equals + 1);
  }
  return map;
}

export function oneOf<T extends string>(
  flag: string,
  value: string | undefined,
  words: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = words.find(word => word === value);
  if (found === undefined) throw wrong(flag, value, words.map(word => `'${word}'`).join(' or '));
  return found;
}

/** Leaves out what is undefined: absent and undefined differ in the API's types. */
export function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

/** A list that nobody gave is absent. */
export const given = <T>(items: readonly T[]): readonly T[] | undefined =>
  items.length > 0 ? items : undefined;
