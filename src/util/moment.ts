import { parseDuration } from './duration.ts';

const RFC3339 = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A moment as docker's filters and flags take it, as epoch milliseconds: a duration before now, an RFC 3339 time (its tail may
 * be left out; without a zone it is local), or seconds since the epoch with a fraction. Undefined for anything else.
 */
export function parseMoment(text: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  const [, day, clock = '00:00:00', zone = ''] = RFC3339.exec(text) ?? [];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T${clock}${zone}`);
  return Number.isNaN(time) ? undefined : time;
}
