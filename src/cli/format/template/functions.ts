import { compare, equal } from './compare.ts';
import { printf } from './printf.ts';
import type { Functions } from './run.ts';
import { type Fn, isList, isMap, kind, show, templateError, truth, type Value } from './values.ts';

const text = (value: Value): string => (typeof value === 'string' ? value : show(value));
const number = (value: Value, name: string): number => {
  if (typeof value !== 'number') throw templateError(`${name} wants a number, not ${kind(value)}`);
  return value;
};

/** fmt.Sprint: a space between operands when neither is a string. */
function sprint(...args: Value[]): string {
  return args.reduce<string>((line, value, i) => {
    const space = i > 0 && typeof value !== 'string' && typeof args[i - 1] !== 'string';
    return `${line}${space ? ' ' : ''}${show(value)}`;
  }, '');
}

function index(value: Value, ...keys: Value[]): Value {
  return keys.reduce<Value>((item, key) => {
    if (isList(item)) return element(item, number(key, 'index'));
    if (isMap(item)) return Object.hasOwn(item, text(key)) ? item[text(key)] : undefined;
    if (typeof item === 'string') return Buffer.from(item)[number(key, 'index')];
    throw templateError(`can't index item of type ${kind(item)}`);
  }, value);
}

function element(items: readonly Value[], at: number): Value {
  if (at < 0 || at >= items.length) throw templateError(`index out of range: ${at}`);
  return items[at];
}

function len(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw templateError(`len of type ${kind(value)}`);
}

function slice(value: Value, from: Value = 0, to?: Value): Value {
  const [start, end] = [number(from, 'slice'), to === undefined ? undefined : number(to, 'slice')];
  if (typeof value === 'string' || isList(value)) return value.slice(start, end);
  throw templateError(`can't slice item of type ${kind(value)}`);
}

/** docker's: words begin with a capital letter. */
const title = (value: Value): string =>
  text(value).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, a, b) => a + b.toUpperCase());

const pad: Fn = (value, before, after) => {
  const [left, right] = [number(before, 'pad'), number(after, 'pad')];
  return text(value) === '' ? '' : ' '.repeat(left) + text(value) + ' '.repeat(right);
};

const truncate: Fn = (value, length) => [...text(value)].slice(0, number(length, 'truncate')).join('');

const join: Fn = (items, separator) => {
  if (!isList(items)) throw templateError(`join wants a list, not ${kind(items)}`);
  return items.map(text).join(text(separator));
};

/** text/template's built-in functions and docker's own. */
export const FUNCTIONS: Functions = {
  json: value => toJson(value),
  join,
  split: (value, separator) => text(value).split(text(separator)),
  upper: value => text(value).toUpperCase(),
  lower: value => text(value).toLowerCase(),
  title,
  pad,
  truncate,
  index,
  len,
  slice,
  print: sprint,
  println: (...args) => `${args.map(show).join(' ')}\n`,
  printf: (format, ...args) => printf(text(format), args),
  urlquery: (...args) => encodeURIComponent(sprint(...args)).replaceAll('%20', '+'),
  not: value => !truth(value),
  eq: (first, ...others) => others.some(other => equal(first, other)),
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
};

/** What docker's header row does with the functions: a heading goes through unchanged. */
const same: Fn = value => value;
export const HEADER_FUNCTIONS: Functions = {
  ...FUNCTIONS,
  json: same,
  title: same,
  lower: same,
  upper: same,
  truncate: same,
  split: same,
  join: same,
};

/** Go's encoding of a value: no spaces, functions left out. */
export function toJson(value: Value): string {
  const plain =
    isMap(value) && Object.values(value).some(item => typeof item === 'function') ? sorted(value) : value;
  return JSON.stringify(plain ?? null);
}

const sorted = (map: { readonly [key: string]: Value }): Value =>
  Object.fromEntries(
    Object.entries(map)
      .filter(([, item]) => typeof item !== 'function')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
