import { posix } from 'node:path';
import { TsboxError } from '../errors.ts';
import { newId } from '../store/atomic.ts';
import type { MountRecord } from '../store/container-record.ts';

/** Values that -v, --mount and --tmpfs have in common. */
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
export const PROPAGATION = ['rprivate', 'private', 'rslave', 'slave', 'rshared', 'shared'] as const;

export const isPropagation = (word: string): boolean => (PROPAGATION as readonly string[]).includes(word);

export type VolumeSource = Pick<MountRecord, 'type' | 'source' | 'anonymous'>;

/** Throws USAGE for a name that cannot be one. */
export function namedVolume(name: string, spec: string): VolumeSource {
  if (VOLUME_NAME.test(name)) return { type: 'volume', source: name, anonymous: false };
  throw mountUsage(
    spec,
    `${JSON.stringify(name)} is neither an absolute path nor a volume name`,
    'volume names: letters, digits, _ . -; host paths begin with / or ./',
  );
}

export function anonymousVolume(target: string): MountRecord {
  const clean = cleanTarget(target, target);
  return { type: 'volume', source: newId(), target: clean, readOnly: false, options: [], anonymous: true };
}

export const tmpfsRecord = (target: string, options: readonly string[]): MountRecord => ({
  type: 'tmpfs',
  source: '',
  target,
  readOnly: options.includes('ro'),
  options,
  anonymous: false,
});

/** Absolute, without `.`, `..` and a slash at the end. Throws USAGE. */
export function cleanTarget(target: string, spec: string): string {
  if (!target.startsWith('/'))
    throw mountUsage(spec, `target ${JSON.stringify(target)} is not an absolute path`);
  if (target.includes('\0')) throw mountUsage(spec, 'it holds a NUL byte');
  const clean = posix.normalize(target).replace(/(.)\/$/, '$1');
  if (clean === '/') throw mountUsage(spec, 'the target cannot be /');
  return clean;
}

export function mountUsage(
  spec: string,
  why: string,
  hint = '-v /host/path:/container/path[:ro], -v name:/path, --tmpfs /path[:size=64m]',
): TsboxError {
  return new TsboxError('USAGE', `mount ${JSON.stringify(spec)}: ${why}`, { hint });
}
