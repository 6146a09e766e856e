import { TsboxError } from '../../../errors.ts';

/** What flows through a template: JSON values, and functions for docker's methods (`.Label "x"`). */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | Fn
  | readonly Value[]
  | { readonly [key: string]: Value };

export type Fn = (...args: Value[]) => Value;

export type ValueMap = { readonly [key: string]: Value };

export const templateError = (message: string): TsboxError =>
  new TsboxError('USAGE', `template: ${message}`, { hint: "docker's --format syntax is Go's text/template" });

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

export const isMap = (value: Value): value is ValueMap =>
  typeof value === 'object' && value !== null && !isList(value);

/** Go's truth: the zero value of every type is false. */
export function truth(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** fmt's %v. */
export function show(value: Value): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (isList(value)) return `[${value.map(show).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map(key => `${key}:${show(value[key])}`)
      .join(' ')}]`;
  return String(value);
}

/** In byte order, as Go's fmt, json and range take the keys of a map. */
export const sortedKeys = (map: ValueMap): string[] =>
  Object.keys(map).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

/** Go's name for it, in errors and for %T. */
export function kind(value: Value): string {
  if (value === null || value === undefined) return 'nil';
  if (isList(value)) return '[]interface {}';
  if (isMap(value)) return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'function' ? 'func' : 'string';
}

/** Go's strconv.Quote. */
export function quote(text: string): string {
  const short: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' };
  const body = text.replace(/["\\\p{Cc}]/gu, char => {
    return short[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${body}"`;
}
