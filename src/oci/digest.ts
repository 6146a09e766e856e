import { TsboxError } from '../errors.ts';
import { newSha256 } from '../util/hash.ts';
import { quote } from './quote.ts';

/**
 * Digests become file names and parts of URLs, so nothing but the canonical form of the one algorithm in use passes
 * (CVE-2024-3727): `sha256:` and 64 lower-case hexadecimal digits.
 */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value);
}

/** Throws DIGEST for anything but `sha256:` + 64 hex digits. `where` says whose digest it is. */
export function parseDigest(value: unknown, where: string): string {
  if (isDigest(value)) return value;
  throw new TsboxError('DIGEST', `${where}: ${digestProblem(value)}`);
}

/** Why `value` is no digest, as a clause. Only text is shown: JSON.stringify overflows the stack on lists nested deep enough. */
export function digestProblem(value: unknown): string {
  if (typeof value !== 'string') return `${value === null ? 'null' : typeof value} is not a digest`;
  const shown = quote(value);
  if (/^sha(384|512):[0-9a-f]+$/.test(value)) return `${shown} uses an algorithm other than sha256`;
  return `${shown} is not a digest (sha256: and 64 lower-case hexadecimal digits)`;
}

/** The 64 hex digits. The digest must be valid. */
export function digestHex(digest: string): string {
  return parseDigest(digest, 'digest').slice('sha256:'.length);
}

/** The first 12 hex digits, as docker shows ids. */
export function shortDigest(digest: string): string {
  return digestHex(digest).slice(0, 12);
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${newSha256().update(bytes).digest('hex')}`;
}
