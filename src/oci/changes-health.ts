import { TsboxError } from '../errors.ts';
import { parseDuration } from '../util/duration.ts';
import { jsonWords } from './changes-json.ts';
import type { Healthcheck } from './config.ts';

const TIMES = { interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod' } as const;

/** The rest of a `HEALTHCHECK` line: `NONE`, or options and `CMD …`. Throws USAGE. */
export function parseHealthcheck(text: string): Healthcheck {
  const [, options = '', rest = ''] = /^((?:--\S+\s+)*)(.*)$/s.exec(text) ?? [];
  const [, kind = '', command = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  const numbers = parseOptions(options.split(/\s+/).filter(Boolean));
  if (kind.toUpperCase() === 'NONE') {
    if (command !== '' || options !== '') throw bad('HEALTHCHECK NONE takes nothing else');
    return { Test: ['NONE'] };
  }
  if (kind.toUpperCase() !== 'CMD') throw bad('HEALTHCHECK is followed by NONE or CMD');
  const words = jsonWords(command);
  const test = words ? ['CMD', ...words] : ['CMD-SHELL', command];
  if (test.length === 1 || command === '') throw bad('HEALTHCHECK CMD needs a command');
  return { Test: test, ...numbers };
}

function parseOptions(options: readonly string[]): Healthcheck {
  return Object.assign({}, ...options.map(parseOption));
}

function parseOption(option: string): Healthcheck {
  const [, name = '', value = ''] = /^--([a-z-]+)=(.*)$/.exec(option) ?? [];
  if (name === 'retries') {
    if (!/^\d{1,9}$/.test(value)) throw bad(`${option} is not a count`);
    return { Retries: Number(value) };
  }
  const field = TIMES[name as keyof typeof TIMES];
  if (field === undefined) throw bad(`HEALTHCHECK has no option ${JSON.stringify(option)}`);
  const ms = value === '0' ? 0 : parseDuration(value);
  // Docker refuses less than a millisecond; 0 means its default.
  if (ms === undefined || (ms > 0 && ms < 1)) throw bad(`${option} is not a duration such as 30s`);
  return { [field]: Math.round(ms * 1e6) };
}

const bad = (message: string): TsboxError => new TsboxError('USAGE', message);
