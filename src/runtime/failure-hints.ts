import type { ErrorCode, HostCheck } from '../errors.ts';
import { CLOSED, closedBy, type UsernsFacts } from '../host/userns-closed.ts';
import { MS } from '../plan/flags.ts';
import type { OpName } from '../plan/ops.ts';
import {
  EACCES,
  EBUSY,
  EINVAL,
  ELOOP,
  ENODEV,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENXIO,
  EPERM,
} from '../util/errno.ts';
import { listenFailure } from './failure-listen.ts';

export interface FailureText {
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly check?: HostCheck;
}

type Explain = (errno: number, fields: readonly string[], look: () => UsernsFacts) => FailureText | undefined;

/** What is known about single operations beyond their errno. A missing entry or undefined: the plain sentence. */
export const FAILURE_HINTS: Partial<Record<OpName, Explain>> = {
  private: (errno, _, look) => (denied(errno) ? closedMounts(errno, look()) : undefined),
  mount: (errno, [type, , target]) => mountFailure(errno, type, target),
  hostmount: (errno, [type]) => storageFailure(errno, type ?? ''),
  fuse: (errno, [path]) => fuseFailure(errno, path ?? ''),
  bind: (errno, [source, target, flags]) => bindFailure(errno, source ?? '', target ?? '', Number(flags)),
  chdir: (errno, [path]) =>
    errno === ENOENT || errno === ENOTDIR
      ? { message: `working directory ${path}`, reason: 'no such directory in the container' }
      : undefined,
  owner: (errno, ids) => idFailure(errno, ids),
  ids: (errno, ids) => idFailure(errno, ids),
  get: (errno, [path]) => fileFailure(errno, `reading ${path} in the sandbox`),
  put: (errno, [path]) => fileFailure(errno, `writing ${path} in the sandbox`),
  landlock: () => ({
    code: 'HOST',
    message: '--strict: the second wall around the file system',
    reason: 'this kernel has no Landlock (of ABI 2 or later), or it is switched off',
    hint: 'Linux 5.19 or later with landlock in the boot option lsm=; or leave --strict out',
    check: 'landlock-missing',
  }),
  procwrite: (errno, [path, value]) => settingFailure(errno, path ?? '', value ?? ''),
  listen: (errno, fields) => listenFailure(errno, fields),
  tty: errno => ({
    message: 'opening a pseudo-terminal in the container',
    ...(errno === ENOSPC && { reason: 'no terminals left' }),
  }),
};

/** The first mount of every plan: where it is refused, so are all. */
function closedMounts(errno: number, facts: UsernsFacts): FailureText {
  const check = closedBy('mount', errno, facts);
  return { code: 'USERNS', message: 'mounting inside the user namespace', ...CLOSED[check], check };
}

const denied = (errno: number): boolean => errno === EPERM || errno === EACCES;

function idFailure(
  errno: number,
  [uid = '', gid = '', ...groups]: readonly string[],
): FailureText | undefined {
  if (errno === EPERM && groups.length > 0) {
    return {
      code: 'USER',
      message: `groups ${groups.join(', ')}`,
      reason: 'without subordinate ids nobody can be given groups',
      hint: 'leave --group-add out, or have subordinate ids',
      check: 'subid-missing',
    };
  }
  if (errno !== EINVAL) return undefined;
  const others = groups.filter(group => group !== gid);
  return {
    code: 'USER',
    message: `user ${uid}:${gid}${others.length > 0 ? ` with groups ${others.join(', ')}` : ''}`,
    reason:
      others.length > 0
        ? "one of these ids is not in the container's id map"
        : "this id is not in the container's id map",
    hint: 'without subordinate ids only root exists inside: have some, or leave -u out',
    check: 'subid-missing',
  };
}

/** `/proc/sys/net/ipv4/ip_forward`: the network's own, or --sysctl. */
function settingFailure(errno: number, path: string, value: string): FailureText {
  const message = `kernel setting ${path.replace('/proc/sys/', '').replaceAll('/', '.')}=${value}`;
  if (errno === ENOENT)
    return { message, reason: 'this kernel has no such setting for a container of its own' };
  if (denied(errno)) return { message, reason: 'only root of the machine may set it', hint: 'leave it out' };
  return errno === EINVAL ? { message, reason: 'the kernel refuses the value' } : { message };
}

function mountFailure(errno: number, type = '', target = ''): FailureText | undefined {
  if (errno === ELOOP) {
    return {
      code: 'MOUNT',
      message: `mount ${type} on ${target}`,
      reason: `the image has a symbolic link at ${target}`,
    };
  }
  if (type === 'proc' && denied(errno)) {
    return {
      code: 'MOUNT',
      message: 'mount proc on /proc',
      reason:
        'the kernel refuses a new procfs here, because parts of /proc are hidden from us (a container inside a container)',
      hint: 'the outer container must show an unmasked /proc (docker run --security-opt systempaths=unconfined)',
      check: 'proc-masked',
    };
  }
  return { code: 'MOUNT' };
}

function storageFailure(errno: number, type: string): FailureText {
  const message = `mount ${type}`;
  if (errno === EINVAL || errno === ENODEV || denied(errno)) {
    return {
      code: 'STORAGE',
      message,
      hint: 'try --storage-driver fuse-overlayfs or vfs',
      check: errno === ENODEV ? 'overlay-module' : 'overlay-refused',
    };
  }
  if (errno === ENOSPC) return { code: 'NO_SPACE', message, check: 'store-space' };
  return { code: 'STORAGE', message, check: 'overlay-refused' };
}

function fuseFailure(errno: number, path: string): FailureText {
  const message = `open /dev/fuse and mount it on ${path}`;
  if (errno === EBUSY) return { code: 'STORAGE', message, check: 'fuse-overlayfs-failed' };
  const absent = errno === ENOENT || errno === ENODEV || errno === ENXIO;
  return {
    code: 'STORAGE',
    message,
    hint: 'use --storage-driver overlay or vfs, or have the administrator open it',
    check: absent ? 'fuse-missing' : denied(errno) ? 'fuse-closed' : 'fuse-overlayfs-failed',
  };
}

function bindFailure(errno: number, source: string, target: string, flags: number): FailureText {
  const message = `mount ${source} on ${target}`;
  if (errno === ENOENT)
    return { code: 'MOUNT', message, reason: 'no such file or directory', hint: `mkdir -p ${source}` };
  if (errno === EINVAL && (flags & MS.REC) === 0)
    return {
      code: 'MOUNT',
      message,
      reason: 'the kernel binds a directory with mounts below it only together with them',
      hint: 'leave bind-nonrecursive out',
    };
  if (errno === ELOOP)
    return { code: 'MOUNT', message, reason: `the image has a symbolic link at ${target}` };
  // EINVAL: what move_mount(2) says of the two.
  if (errno === ENOTDIR || errno === EINVAL)
    return { code: 'MOUNT', message, reason: 'one is a directory and the other a file' };
  return { code: 'MOUNT', message };
}

const fileFailure = (errno: number, message: string): FailureText => ({
  code: errno === ENOENT ? 'NOT_FOUND' : errno === ENOSPC ? 'NO_SPACE' : 'IO',
  message,
  ...(errno === EINVAL && { reason: 'not a regular file' }),
  ...(errno === ENOSPC && { check: 'store-space' as const }),
});
