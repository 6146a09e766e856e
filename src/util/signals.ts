import { constants } from 'node:os';
import { TsboxError } from '../errors.ts';

/** SIGRTMIN and SIGRTMAX as docker counts them: two below glibc's first are glibc's own (signal(7)). */
const RTMIN = 34;
const RTMAX = 64;

/**
 * The number of a signal as docker's users write it: `9`, `KILL`, `sigkill`, `RTMIN+3`, `SIGRTMAX-1`. Throws USAGE for
 * anything else, 0 included.
 */
export function signalNumber(signal: string | number): number {
  const text = String(signal).trim();
  const number = /^\d+$/.test(text) ? Number(text) : byName(text.toUpperCase().replace(/^SIG/, ''));
  if (number !== undefined && number >= 1 && number <= RTMAX) return number;
  throw new TsboxError('USAGE', `invalid signal: ${text || '""'}`, {
    hint: 'use a name or a number of signal(7): TERM, SIGHUP, 9, RTMIN+3',
  });
}

function byName(name: string): number | undefined {
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!realTime) return (constants.signals as Partial<Record<string, number>>)[`SIG${name}`];
  const [, base, sign, offset = '0'] = realTime;
  const number = (base === 'MIN' ? RTMIN : RTMAX) + Number(`${sign ?? '+'}${offset}`);
  return number >= RTMIN ? number : undefined;
}
