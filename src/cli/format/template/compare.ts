import { isList, isMap, kind, templateError, type Value } from './values.ts';

/** text/template's eq: basic kinds only, and both of one kind. */
export function equal(a: Value, b: Value): boolean {
  const nil = (value: Value): boolean => value === null || value === undefined;
  if (nil(a) || nil(b)) return nil(a) && nil(b);
  if (isList(a) || isMap(a) || isList(b) || isMap(b))
    throw templateError('non-comparable type for comparison');
  if (typeof a !== typeof b) throw mismatch(a, b);
  return a === b;
}

/** For lt, le, gt and ge: numbers by value, strings by code point. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  throw mismatch(a, b);
}

const mismatch = (a: Value, b: Value): Error =>
  templateError(`incompatible types for comparison: ${kind(a)} and ${kind(b)}`);
