import { TsboxError } from '../../errors.ts';
import { parseDuration } from '../../util/duration.ts';

const RFC3339 = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * What docker's --since and --until take, as epoch milliseconds: a duration before now, an RFC 3339 time (its tail may
 * be left out; without a zone it is local), or seconds since the epoch with a fraction.
 */
export function parseTime(option: string, text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  const match = RFC3339.exec(text);
  const [, day, clock = '00:00:00', zone = ''] = match ?? [];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T${clock}${zone}`);
  if (!Number.isNaN(time)) return time;
  throw new TsboxError('USAGE', `invalid value '${text}' for ${option}`, {
    hint: 'a duration (10m), a time (2024-05-01T10:00:00Z) or seconds since 1970',
  });
}
