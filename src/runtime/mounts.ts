import type { Mount } from '../oci/runtime-spec.ts';
import { MS } from '../plan/flags.ts';
import { type Op, ops } from '../plan/ops.ts';

/** mount(8) option words of the OCI specification (config.md, "Linux mount options") and the bits they set or clear. */
const FLAG_WORDS: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [MS.RDONLY, 0],
  rw: [0, MS.RDONLY],
  nosuid: [MS.NOSUID, 0],
  suid: [0, MS.NOSUID],
  nodev: [MS.NODEV, 0],
  dev: [0, MS.NODEV],
  noexec: [MS.NOEXEC, 0],
  exec: [0, MS.NOEXEC],
  relatime: [MS.RELATIME, 0],
  strictatime: [MS.STRICTATIME, 0],
  bind: [MS.BIND, 0],
  rbind: [MS.BIND | MS.REC, 0],
  private: [MS.PRIVATE, 0],
  rprivate: [MS.PRIVATE | MS.REC, 0],
  slave: [MS.SLAVE, 0],
  rslave: [MS.SLAVE | MS.REC, 0],
  shared: [MS.SHARED, 0],
  rshared: [MS.SHARED | MS.REC, 0],
  unbindable: [MS.UNBINDABLE, 0],
};

/** Words of a bind mount that is to see what is mounted on the host later. */
const RECEIVING = ['slave', 'rslave', 'shared', 'rshared'];

/** Does one of the mounts want to see what happens on the host? Then the mounts of the namespace must stay slaves of the host's. */
export const receivesMounts = (mounts: readonly Mount[]): boolean =>
  mounts.some(m => m.options?.some(word => RECEIVING.includes(word)));

/** Splits option words into mount(2) flags and the rest, which is the file system's own data. */
export function parseMountOptions(words: readonly string[]): {
  flags: number;
  data: string;
  optional: boolean;
} {
  let flags = 0;
  const data: string[] = [];
  for (const word of words) {
    const known = FLAG_WORDS[word];
    if (known) flags = (flags | known[0]) & ~known[1];
    else if (word !== 'optional') data.push(word);
  }
  return { flags, data: data.join(','), optional: words.includes('optional') };
}

const WHY: Readonly<Record<string, string>> = {
  '/proc': 'processes of this pid namespace only',
  '/dev': 'a device directory of its own, filled below',
  '/dev/pts': 'terminals that nobody outside shares',
  '/dev/shm': 'POSIX shared memory',
  '/dev/mqueue': 'message queues of this ipc namespace',
  '/sys': 'read-only: looking is allowed, changing the machine is not',
  '/sys/fs/cgroup': 'its own subtree, read-only',
  '/etc/hosts': 'made by tsbox: the image’s own file is never followed or changed',
  '/etc/hostname': 'made by tsbox',
  '/etc/resolv.conf': 'made by tsbox: the servers of this network',
};

/**
 * One entry of `mounts`. Paths of the kernel's own file systems must not be reached through a symbolic link of the image
 * (CVE-2026-41579, CVE-2025-52881); user mounts follow links, but only beneath the container's root.
 */
export function mountOp(mount: Mount): Op {
  const { flags, data, optional } = parseMountOptions(mount.options ?? []);
  const target = mount.destination;
  const why = WHY[target] ?? 'asked for by -v, --mount or --tmpfs';
  const strict = target in WHY && !target.startsWith('/etc/') ? 'cs' : 'c';
  const op =
    flags & MS.BIND
      ? ops.bind({ source: mount.source ?? '', target, flags: flags & ~MS.BIND, how: strict }, why)
      : ops.mount(
          {
            type: mount.type ?? 'none',
            source: mount.source ?? mount.type ?? 'none',
            target,
            flags,
            data,
            how: strict,
          },
          why,
        );
  return optional ? { ...op, optional } : op;
}
