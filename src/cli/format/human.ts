/** Sizes, times and ids as docker shows them. */

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

/** `7.73MB`: powers of 1000. docker shows three significant digits in lists of images, four elsewhere. */
export function humanSize(bytes: number, digits: 3 | 4 = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${DECIMAL[unit]}`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** docker's rough words for a span of milliseconds: `About a minute`, `3 hours`, `2 weeks`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < MINUTE) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  return humanHours(Math.floor(seconds / HOUR + 0.5), Math.floor(seconds / DAY));
}

function humanHours(hours: number, days: number): string {
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** `2 minutes ago`; `N/A` for a time that is unknown. A clock that went back does not make the future. */
export function ago(time: string | undefined, now: number): string {
  const then = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(then) || then <= 0) return 'N/A';
  return `${humanDuration(Math.max(0, now - then))} ago`;
}

/** Go's time.String(): `2024-05-01 10:00:00 +0000 UTC`, in local time. */
export function goTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const pad = (n: number): string => String(n).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${day} ${clock} ${zone} ${zoneName(date)}`;
}

function zoneName(date: Date): string {
  if (date.getTimezoneOffset() === 0) return 'UTC';
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(part => part.type === 'timeZoneName')?.value ?? '';
}

/** Twelve hex digits of an id, without its algorithm. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** Cuts to `length` code points, the last of which is an ellipsis. */
export function ellipsis(text: string, length: number): string {
  const points = [...text];
  return points.length <= length ? text : `${points.slice(0, length - 1).join('')}…`;
}
