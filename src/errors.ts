/**
 * The one error type. A message says what failed, where and why, lower case, no full stop; the hint is the command or the
 * setting that helps; the code is stable and explained in docs/errors.md.
 */
export const ERROR_CODES = {
  // Bad requests
  USAGE: 'the command line or an option value is wrong',
  NOT_FOUND: 'no such container, image, volume or network',
  CONFLICT: 'a name is taken or an object is in use',
  BAD_REFERENCE: 'an image name, tag or digest is malformed',
  BAD_STATE: 'the container is not in a state that allows this',
  // Running
  COMMAND_NOT_FOUND: 'the command does not exist in the container (exit 127)',
  COMMAND_NOT_EXECUTABLE: 'the command cannot be executed (exit 126)',
  LAUNCH: 'the container could not be set up',
  MOUNT: 'a mount failed or its source is missing',
  USER: 'the user or group of -u is unknown or malformed',
  PORT: 'a port cannot be published',
  // The machine
  USERNS: 'a user namespace cannot be made',
  SUBID: 'subordinate ids are missing or cannot be used',
  STORAGE: 'no storage driver works here, or the one asked for does not',
  NETWORK: 'a network driver is missing or failed',
  HOST: 'a program or device of the machine is missing',
  LIMIT: 'a resource limit cannot be enforced on this machine',
  NO_SPACE: 'the disk or quota is full',
  IO: 'a file of the store cannot be read or written',
  STORE_VERSION: 'the store was written by another version of tsbox',
  STORE_CORRUPT: 'a file of the store does not hold what it must',
  // Images
  REGISTRY: 'a registry refused, failed or answered nonsense',
  UNAUTHORIZED: 'a registry wants credentials or refuses the ones given',
  DIGEST: 'content does not match its digest',
  SIGNATURE: 'the signature policy does not accept an image',
  MANIFEST: 'a manifest or image config is malformed',
  LAYER: 'a layer archive is malformed or tries to leave its directory',
  PLATFORM: 'an image has no variant for this platform',
  // Builds
  DOCKERFILE: 'a Dockerfile has a mistake',
  BUILD: 'an instruction of a build failed',
  ABORTED: 'the operation was cancelled',
  INTERNAL: 'a bug in tsbox',
} as const;

/** One of the stable codes; docs/errors.md explains each. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * What `tsbox doctor` can find; stable names. Each has its sentence in engine/doctor-codes.ts, what helps in engine/doctor-remedies.ts, and a row
 * in docs/host-setup.md. An error that stems from the machine names the one that explains it.
 */
export type HostCheck =
  // Programs and kernel
  | 'node-old'
  | 'kernel-old'
  | 'helper-missing'
  | 'helper-broken'
  // User namespaces
  | 'userns-clone'
  | 'userns-limit'
  | 'userns-apparmor'
  | 'userns-kernel'
  | 'userns-seccomp'
  | 'userns-refused'
  | 'mount-refused'
  | 'namespaces-missing'
  | 'proc-masked'
  | 'pivot-refused'
  | 'seccomp-missing'
  | 'landlock-missing'
  // Subordinate ids
  | 'subid-missing'
  | 'subid-invalid'
  | 'mapper-missing'
  | 'mapper-setuid'
  | 'mapper-nosuid'
  | 'mapper-privileges'
  | 'mapper-failed'
  // The store
  | 'store-filesystem'
  | 'store-space'
  | 'overlay-kernel'
  | 'overlay-module'
  | 'overlay-refused'
  | 'fuse-missing'
  | 'fuse-closed'
  | 'fuse-overlayfs-missing'
  | 'fuse-overlayfs-failed'
  // Network
  | 'tun-missing'
  | 'tun-closed'
  | 'slirp4netns-missing'
  | 'slirp4netns-old'
  | 'pasta-missing'
  | 'uplink-failed'
  | 'filter-missing'
  | 'ports-low'
  // Control groups
  | 'cgroup-v1'
  | 'cgroup-unmounted'
  | 'cgroup-manager'
  | 'cgroup-foreign'
  | 'cgroup-controllers'
  | 'cgroup-refused'
  | 'linger-off';

/** What an error has beside code and message. */
export interface ErrorOptions {
  /** What the user can do: a command to type, a setting, a page of docs/. */
  hint?: string;
  /** The finding of `tsbox doctor` that explains it; the hint ends with that command. */
  check?: HostCheck | undefined;
  cause?: unknown;
  /** Exit status of the CLI for this error; default 125. */
  exitCode?: number;
}

/** The one error that is thrown: what failed, where and why; `cause` has what was underneath. */
export class TsboxError extends Error {
  /** Stable; docs/errors.md has meaning, cause and remedy of each. */
  readonly code: ErrorCode;
  /** What helps: a command, a setting. Undefined where nothing can be said. */
  readonly hint: string | undefined;
  /** The finding of `tsbox doctor` that explains it. */
  readonly check: HostCheck | undefined;
  /** Status of the command line for it: 125, 126, 127 or 1. */
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TsboxError';
    this.code = code;
    this.check = options.check;
    this.hint = withCheck(options.hint, options.check);
    this.exitCode = options.exitCode ?? 125;
  }
}

/** `install it: …; why: tsbox doctor slirp4netns-missing`. A hint that was passed on has its check already. */
function withCheck(hint: string | undefined, check: HostCheck | undefined): string | undefined {
  if (check === undefined) return hint;
  const command = `tsbox doctor ${check}`;
  if (hint?.endsWith(command)) return hint;
  return hint === undefined ? command : `${hint}; why: ${command}`;
}

/** True for a Node system error with that errno name (`ENOENT`), at any depth of `cause`. */
export function hasErrno(error: unknown, ...codes: string[]): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = (e as NodeJS.ErrnoException).code;
    if (code !== undefined && codes.includes(code)) return true;
  }
  return false;
}

/** The finding of `tsbox doctor` that an error names. */
export const checkOf = (error: unknown): HostCheck | undefined =>
  error instanceof TsboxError ? error.check : undefined;

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
