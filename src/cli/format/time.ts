import { TsboxError } from '../../errors.ts';
import { parseMoment } from '../../util/moment.ts';

/** What docker's --since and --until take, as epoch milliseconds (util/moment.ts). Throws USAGE. */
export function parseTime(option: string, text: string, now: number): number {
  const time = parseMoment(text, now);
  if (time !== undefined) return time;
  throw new TsboxError('USAGE', `invalid value '${text}' for ${option}`, {
    hint: 'a duration (10m), a time (2024-05-01T10:00:00Z) or seconds since 1970',
  });
}
