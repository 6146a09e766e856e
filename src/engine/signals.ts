import { constants } from 'node:os';
import { TsboxError } from '../errors.ts';

/** `SIGTERM`, `TERM`, `term`, `15` or 15 as a number. Throws USAGE. */
export function signalNumber(signal: string | number): number {
  const text = String(signal).toUpperCase();
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64) return Number(text);
  const name = (text.startsWith('SIG') ? text : `SIG${text}`) as NodeJS.Signals;
  const number = constants.signals[name] ?? realTime(name);
  if (number !== undefined) return number;
  throw new TsboxError('USAGE', `signal ${JSON.stringify(String(signal))} is not known`, {
    hint: 'a name as in kill -l (TERM, SIGKILL, HUP …) or a number from 1 to 64',
  });
}

/** SIGRTMIN+n and SIGRTMAX-n, which images of systemd use as StopSignal; glibc's numbers. */
function realTime(name: string): number | undefined {
  const match = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!match) return undefined;
  const [, end, sign, offset = '0'] = match;
  const number = (end === 'MIN' ? 34 : 64) + (sign === '-' ? -1 : 1) * Number(offset);
  return number >= 34 && number <= 64 ? number : undefined;
}
