import { posix, resolve } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { newId } from '../store/atomic.ts';
import type { MountRecord } from '../store/container-record.ts';
import { stat } from '../util/files.ts';
import {
  anonymousVolume,
  cleanTarget,
  isPropagation,
  mountUsage,
  namedVolume,
  PROPAGATION,
  tmpfsRecord,
  type VolumeSource,
} from './mount-values.ts';
import type { CreateOptions } from './types.ts';

/** Mounts that nobody asked for by their target: those of --volumes-from, then the image's volumes. */
export interface MountSources {
  readonly inherited?: readonly MountRecord[];
  /** Paths that the image declares as volumes. */
  readonly image?: readonly string[];
}

/**
 * -v, --mount and --tmpfs as records, and what of `sources` has no such target: docker's order. Throws USAGE for bad syntax
 * and MOUNT for a host path that is not there.
 */
export async function parseMounts(
  options: CreateOptions,
  sources: MountSources = {},
): Promise<MountRecord[]> {
  const flags = options.mounts?.length ? await import('./create-mount-flag.ts') : undefined;
  const mounts = [
    ...(options.volumes ?? []).map(parseVolume),
    ...(options.mounts ?? []).flatMap(spec => flags?.parseMountFlag(spec) ?? []),
    ...(options.tmpfs ?? []).map(parseTmpfs),
  ];
  refuseDuplicates(mounts);
  for (const mount of mounts) if (mount.type === 'bind') await requireSource(mount);
  const inherited = addMissing(mounts, sources.inherited ?? []);
  return addMissing(inherited, (sources.image ?? []).filter(isTarget).map(anonymousVolume));
}

const MODES: readonly string[] = ['ro', 'rw', 'z', 'Z', 'U', ...PROPAGATION, 'rbind', 'bind', 'nocopy'];
/** SELinux labels are root's business: accepted, nothing to do. */
const SILENT = new Set(['rw', 'ro', 'z', 'Z', 'rbind', 'rprivate', 'private']);

function parseVolume(spec: string): MountRecord {
  const parts = spec.split(':');
  if (parts.length > 3 || spec === '') throw mountUsage(spec, 'it is not [SOURCE:]TARGET[:MODE]');
  const [source, target, mode] = parts.length === 1 ? [undefined, parts[0], undefined] : parts;
  const modes = mode ? mode.split(',') : [];
  const unknown = modes.find(m => !MODES.includes(m));
  if (unknown !== undefined) {
    throw mountUsage(spec, `mode ${JSON.stringify(unknown)} is not known`, `modes: ${MODES.join(', ')}`);
  }
  if (modes.filter(isPropagation).length > 1)
    throw mountUsage(spec, 'it has more than one kind of propagation');
  const found = volumeSource(source, spec);
  const wrong = modes.find(m =>
    found.type === 'volume' ? m === 'bind' || isPropagation(m) : m === 'nocopy',
  );
  if (wrong !== undefined) throw mountUsage(spec, `mode ${wrong} means nothing for a ${found.type}`);
  return {
    ...found,
    target: cleanTarget(target ?? '', spec),
    readOnly: modes.includes('ro'),
    options: modes.filter(m => !SILENT.has(m)),
  };
}

function volumeSource(source: string | undefined, spec: string): VolumeSource {
  if (source === undefined) return { type: 'volume', source: newId(), anonymous: true };
  if (/^[./~]/.test(source)) return { type: 'bind', source: resolve(source), anonymous: false };
  return namedVolume(source, spec);
}

/** What an image declares is not the user's mistake: a volume that cannot be is none, nor one over what the kernel shows. */
const isTarget = (path: string): boolean =>
  path.startsWith('/') && !/^\/$|^\/(proc|sys|dev)(\/|$)/.test(posix.normalize(path));

const TMPFS_OPTION =
  /^(rw|ro|nosuid|suid|nodev|dev|noexec|exec|noatime|nodiratime|relatime|strictatime|(size|nr_inodes|nr_blocks)=\d+[kKmMgG%]?|mode=[0-7]{1,4}|(uid|gid)=\d+)$/;

function parseTmpfs(spec: string): MountRecord {
  const at = spec.indexOf(':');
  const [target, words] = at < 0 ? [spec, ''] : [spec.slice(0, at), spec.slice(at + 1)];
  const options = words ? words.split(',') : [];
  const bad = options.find(o => !TMPFS_OPTION.test(o));
  if (bad !== undefined) {
    const hint = '--tmpfs /path:size=64m,mode=700,uid=1000; rw, ro, exec, suid, dev, noatime';
    throw mountUsage(spec, `tmpfs option ${JSON.stringify(bad)} is not known`, hint);
  }
  return tmpfsRecord(cleanTarget(target, spec), options);
}

function refuseDuplicates(mounts: readonly MountRecord[]): void {
  const seen = new Set<string>();
  for (const { target } of mounts) {
    if (seen.has(target)) {
      const hint = 'leave one of them out';
      throw new TsboxError('USAGE', `two mounts have the target ${target}`, { hint });
    }
    seen.add(target);
  }
}

/** Those of `more` whose targets are free; the first one wins. */
function addMissing(mounts: readonly MountRecord[], more: readonly MountRecord[]): MountRecord[] {
  const byTarget = new Map(mounts.map(m => [m.target, m]));
  for (const mount of more) if (!byTarget.has(mount.target)) byTarget.set(mount.target, mount);
  return [...byTarget.values()];
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
