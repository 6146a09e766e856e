import { TsboxError } from '../../errors.ts';

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's durations (`10m`, `1h30m`, `1.5s`) in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/.test(text)) return undefined;
  let total = 0;
  const rest = text.replace(
    /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g,
    (_, number: string, unit: string) => {
      total += Number(number) * (UNITS[unit] ?? 0);
      return '';
    },
  );
  return rest === '' ? total : undefined;
}

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
