import { stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { newId } from '../store/atomic.ts';
import type { MountRecord } from '../store/container-record.ts';
import type { CreateOptions } from './types.ts';

/** -v and --tmpfs as records. Throws USAGE for bad syntax and MOUNT for a host path that is not there. */
export async function parseMounts(options: CreateOptions): Promise<MountRecord[]> {
  const mounts = [...(options.volumes ?? []).map(parseVolume), ...(options.tmpfs ?? []).map(parseTmpfs)];
  refuseDuplicates(mounts);
  for (const mount of mounts) if (mount.type === 'bind') await requireSource(mount);
  return mounts;
}

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MODES = [
  'ro',
  'rw',
  'z',
  'Z',
  'rprivate',
  'private',
  'rslave',
  'slave',
  'rshared',
  'shared',
  'rbind',
  'bind',
  'nocopy',
];
/** SELinux labels are root's business: accepted, nothing to do. */
const SILENT = new Set(['rw', 'ro', 'z', 'Z', 'rbind', 'bind']);

function parseVolume(spec: string): MountRecord {
  const parts = spec.split(':');
  if (parts.length > 3 || spec === '') throw usage(spec, 'it is not [SOURCE:]TARGET[:MODE]');
  const [source, target, mode] = parts.length === 1 ? [undefined, parts[0], undefined] : parts;
  const modes = mode ? mode.split(',') : [];
  const unknown = modes.find(m => !MODES.includes(m));
  if (unknown !== undefined) throw usage(spec, `mode ${JSON.stringify(unknown)} is not known`);
  return {
    ...volumeSource(source, spec),
    target: cleanTarget(target ?? '', spec),
    readOnly: modes.includes('ro'),
    options: modes.filter(m => !SILENT.has(m)),
  };
}

function volumeSource(
  source: string | undefined,
  spec: string,
): Pick<MountRecord, 'type' | 'source' | 'anonymous'> {
  if (source === undefined) return { type: 'volume', source: newId(), anonymous: true };
  if (/^[./~]/.test(source)) return { type: 'bind', source: resolve(source), anonymous: false };
  if (VOLUME_NAME.test(source)) return { type: 'volume', source, anonymous: false };
  throw usage(
    spec,
    `${JSON.stringify(source)} is neither an absolute path nor a volume name`,
    'volume names: letters, digits, _ . -; host paths begin with / or ./',
  );
}

function parseTmpfs(spec: string): MountRecord {
  const at = spec.indexOf(':');
  const [target, words] = at < 0 ? [spec, ''] : [spec.slice(0, at), spec.slice(at + 1)];
  const options = words ? words.split(',') : [];
  const bad = options.find(
    o => !/^(rw|ro|nosuid|suid|nodev|dev|noexec|exec|(size|mode|uid|gid|nr_inodes)=[0-9a-zA-Z%]+)$/.test(o),
  );
  if (bad !== undefined) throw usage(spec, `tmpfs option ${JSON.stringify(bad)} is not known`);
  return {
    type: 'tmpfs',
    source: '',
    target: cleanTarget(target, spec),
    readOnly: options.includes('ro'),
    options,
    anonymous: false,
  };
}

function cleanTarget(target: string, spec: string): string {
  if (!target.startsWith('/')) throw usage(spec, `target ${JSON.stringify(target)} is not an absolute path`);
  const clean = posix.normalize(target).replace(/(.)\/$/, '$1');
  if (clean === '/') throw usage(spec, 'the target cannot be /');
  return clean;
}

function refuseDuplicates(mounts: readonly MountRecord[]): void {
  const seen = new Set<string>();
  for (const { target } of mounts) {
    if (seen.has(target)) throw new TsboxError('USAGE', `two mounts have the target ${target}`);
    seen.add(target);
  }
}

/** Unlike docker we do not make a missing source: a typo would become an empty directory that nobody asked for. */
async function requireSource(mount: MountRecord): Promise<void> {
  try {
    await stat(mount.source);
  } catch (cause) {
    const missing = hasErrno(cause, 'ENOENT', 'ENOTDIR');
    const why = missing ? 'no such file or directory' : messageOf(cause);
    throw new TsboxError('MOUNT', `mount ${mount.source} on ${mount.target}: ${why}`, {
      cause,
      ...(missing && { hint: `mkdir -p ${mount.source}` }),
    });
  }
}

function usage(
  spec: string,
  why: string,
  hint = '-v /host/path:/container/path[:ro], -v name:/path, --tmpfs /path[:size=64m]',
): TsboxError {
  return new TsboxError('USAGE', `mount ${JSON.stringify(spec)}: ${why}`, { hint });
}
