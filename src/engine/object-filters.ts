import { TsboxError } from '../errors.ts';
import { parseMoment } from '../util/moment.ts';
import { suggest } from '../util/suggest.ts';
import type { Filters } from './types.ts';

/** Filters that images, containers and volumes have in common. */

export type Labels = Readonly<Record<string, string>>;

/** True when all of them are there: `key` or `key=value`. */
export function hasLabels(labels: Labels, wanted: readonly string[]): boolean {
  return wanted.every(each => hasLabel(labels, each));
}

function hasLabel(labels: Labels, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const key = at < 0 ? wanted : wanted.slice(0, at);
  if (!Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === wanted.slice(at + 1);
}

/** Go's booleans, as docker's filters take them. Throws USAGE. */
export function booleanFilter(key: string, value: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new TsboxError('USAGE', `invalid value for the filter ${key}: ${JSON.stringify(value)}`, {
    hint: 'it is true or false',
  });
}

/** What was made before all of these moments. Throws USAGE. */
export function madeBefore(values: readonly string[], now: number): (created: string) => boolean {
  const limits = values.map(value => {
    const moment = parseMoment(value, now);
    if (moment !== undefined) return moment;
    throw new TsboxError('USAGE', `invalid value for the filter until: ${JSON.stringify(value)}`, {
      hint: 'a duration (24h), a time (2024-05-01T10:00:00Z) or seconds since 1970',
    });
  });
  return created => limits.every(limit => Date.parse(created) < limit);
}

/** Throws USAGE for a key that `what` does not have. */
export function checkFilterKeys(what: string, filters: Filters, known: readonly string[]): void {
  const bad = Object.keys(filters).find(key => !known.includes(key));
  if (bad === undefined) return;
  const near = suggest(bad, known);
  throw new TsboxError('USAGE', `${what} has no filter ${JSON.stringify(bad)}`, {
    hint: near === undefined ? `filters are: ${known.join(', ')}` : `did you mean ${near}?`,
  });
}
