import type { ByteString } from './bytes.ts';
import type { PaxTime } from './pax.ts';

/** One record of a PAX header, `LENGTH KEY=VALUE\n`; the length counts itself. A key with `=` cannot be written: the caller's check. */
export function paxRecord(key: ByteString, value: ByteString | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const rest = key.length + bytes.length + 3;
  let length = rest + String(rest).length;
  // One digit more may make it longer by another one.
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), bytes, Buffer.from('\n')]);
}

/** Seconds with as many decimals as needed. Before 1970 nanoseconds count forward: -2 s and 750,000,000 ns is -1.25. */
export function paxTime({ seconds, nanoseconds }: PaxTime): string {
  const isNegative = seconds < 0 && nanoseconds > 0;
  const whole = isNegative ? -seconds - 1 : Math.abs(seconds);
  const rest = isNegative ? 1e9 - nanoseconds : nanoseconds;
  const decimals = rest === 0 ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${seconds < 0 ? '-' : ''}${whole}${decimals}`;
}
