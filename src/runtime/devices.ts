import type { Spec } from '../oci/runtime-spec.ts';
import { MS } from '../plan/flags.ts';
import { type Op, ops } from '../plan/ops.ts';

/** The devices every container has (OCI runtime-spec, config-linux.md, "Default Devices"). */
export const DEFAULT_DEVICES = [
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
] as const;

const LINKS = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
] as const;

/** Fills the container's /dev: a user namespace cannot mknod, so the host's nodes are bound one by one. */
export function deviceOps(spec: Spec): Op[] {
  const own = spec.mounts.some(m => m.destination === '/dev' && m.type === 'tmpfs');
  const extra = spec.linux.devices ?? [];
  return [
    ...(own
      ? DEFAULT_DEVICES.map(path => deviceOp(path, 'a harmless device, bound because mknod needs real root'))
      : []),
    ...extra.map(d => userDeviceOp(d.hostPath ?? d.path, d.path)),
    ...(own ? LINKS.map(([text, target]) => ops.symlink(text, target, 'where programs expect it')) : []),
    ...(own && spec.process.terminal ? [ops.file('/dev/console', 0o620, 'the terminal is bound here')] : []),
  ];
}

const deviceOp = (path: string, why: string): Op =>
  ops.bind({ source: path, target: path, flags: MS.NOSUID | MS.NOEXEC, how: 'csn' }, why);

/** Not below a link of the image (CVE-2026-47766). A block device is one that the user may open, too. */
const userDeviceOp = (source: string, target: string): Op =>
  ops.bind(
    { source, target, flags: MS.NOSUID | MS.NOEXEC, how: 'cs' },
    '--device: the machine’s node, with the rights you have on it',
  );
