import { TsboxError } from '../errors.ts';
import { digestProblem, isDigest } from './digest.ts';

/**
 * Guards for JSON that strangers wrote. Each takes the value and where it stands in the document (`layers[3].size`), and
 * throws MANIFEST. `null` counts as absent wherever a field may be absent: docker writes it so.
 */
export type Json = Readonly<Record<string, unknown>>;

export function malformed(where: string, problem: string): never {
  throw new TsboxError('MANIFEST', oneLine(`${where} ${problem}`));
}

/** Both parts may quote the document: no control character or line break gets into a message, nor megabytes of a key. */
function oneLine(text: string): string {
  const safe = text.slice(0, MAX_MESSAGE).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
  return text.length > MAX_MESSAGE ? `${safe}…` : safe;
}

const MAX_MESSAGE = 400;

/** Decodes and parses; the top must be an object. `limit` in bytes. */
export function parseObject(bytes: Uint8Array, where: string, limit: number): Json {
  if (bytes.length > limit) malformed(where, `is larger than ${limit} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TsboxError('MANIFEST', `${where} is not JSON`, { cause });
  }
  return asObject(value, where);
}

export function asObject(value: unknown, where: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  return malformed(where, 'is not an object');
}

/** NUL is refused: these strings become paths, arguments and environment. */
export function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') return malformed(where, 'is not a string');
  if (value.includes('\0')) return malformed(where, 'contains a NUL');
  return value;
}

export function asArray(value: unknown, where: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) return malformed(where, 'is not an array');
  if (value.length > limit) return malformed(where, `has ${value.length} entries, more than ${limit}`);
  return value;
}

/** A whole number from 0 to 2^53 - 1. */
export function asSize(value: unknown, where: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  return malformed(where, 'is not a size');
}

export function asDigest(value: unknown, where: string): string {
  return isDigest(value) ? value : malformed(where, `is malformed: ${digestProblem(value)}`);
}

export function asStrings(value: unknown, where: string, limit = 100_000): readonly string[] {
  return asArray(value, where, limit).map((item, i) => asString(item, `${where}[${i}]`));
}

export function asStringMap(value: unknown, where: string): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, where));
  return Object.fromEntries(entries.map(([k, v]) => [asString(k, where), asString(v, `${where}.${k}`)]));
}

/** The keys of a set written as an object, as docker does for ports and volumes. */
export function asKeys(value: unknown, where: string): Readonly<Record<string, object>> {
  return Object.fromEntries(Object.keys(asObject(value, where)).map(k => [asString(k, where), {}]));
}

/** `{[name]: guard(value)}`, or `{}` when the field is absent or null: spread it into the result. */
export function field<K extends string, T>(
  object: Json,
  name: K,
  where: string,
  guard: (value: unknown, where: string) => T,
): { [P in K]?: T } {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  if (value === undefined || value === null) return {};
  return { [name]: guard(value, where === '' ? name : `${where}.${name}`) } as {
    [P in K]?: T;
  };
}
