/**
 * The part of the OCI runtime specification that tsbox speaks between engine and runtime
 * (https://github.com/opencontainers/runtime-spec, config.md and config-linux.md). Fields keep the specification's names.
 */
export interface Spec {
  readonly ociVersion: string;
  readonly process: Process;
  readonly root: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts: readonly Mount[];
  readonly linux: Linux;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Process {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: User;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities?: Capabilities;
  readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  readonly scheduler?: { readonly policy: 'SCHED_OTHER'; readonly nice: number };
  /** Ours: processors of the command (the specification has such a field for further processes alone). */
  readonly cpuAffinity?: readonly number[];
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** Names such as `CAP_CHOWN`. */
export interface Capabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

/** `type` bind is spelled by the options `bind` or `rbind`; a relative source starts at the bundle, for us the store. */
export interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
}

export interface Linux {
  readonly namespaces: readonly { readonly type: NamespaceType; readonly path?: string }[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  /** `hostPath` is ours: the node that is bound there, since a user namespace cannot make one. */
  readonly devices?: readonly { readonly path: string; readonly hostPath?: string }[];
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** Our additions, where the specification has no field. */
export const ANNOTATION = {
  /** `-u` as written: names can only be resolved once the root file system is there. */
  user: 'dev.tsbox.user',
  /** `true`: a reaping init as pid 1. */
  init: 'dev.tsbox.init',
  /** `true`: calls that one id cannot make are answered with success (docs/root-emulation.md). */
  rootEmulation: 'dev.tsbox.root-emulation',
  /** `try` or `must`: nothing outside the root's hierarchy can be opened (landlock(7)); absent: it can. */
  landlock: 'dev.tsbox.landlock',
  /** `true`: a session keyring of its own. */
  keyring: 'dev.tsbox.keyring',
  /** `off`: no user namespaces below the container's. */
  nestedUserns: 'dev.tsbox.nested-userns',
} as const;
