import type { Resources } from '../cgroup/driver.ts';
import type { PortMapping } from '../network/driver.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import type { EndpointRecord } from './network-record.ts';

/**
 * `containers/<id>/config.json`: what a container is. Written once by `create` (temp + fsync + rename), after that only
 * by `rename` and `update`. How it is doing is in `state.json`, which the supervisor writes.
 */
export interface ContainerRecord {
  readonly version: 1;
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly image: {
    /** As the user wrote it: `alpine`. */
    readonly reference: string;
    /** `sha256:…` of the config, or `host`. */
    readonly id: string;
    /** Diff ids, base first. */
    readonly layers: readonly string[];
  };
  readonly storage: { readonly driver: StorageDriverName };
  /** `uid`, `gid`: who the caller is inside with `keep-id:uid=,gid=`; absent: the caller's own ids. */
  readonly userns: { readonly mode: UsernsMode; readonly uid?: number; readonly gid?: number };
  readonly network: {
    readonly driver: string;
    readonly options: Readonly<Record<string, string>>;
    readonly ports: readonly PortMapping[];
    /** `bridge`: the user-defined networks it is started in. */
    readonly networks?: readonly EndpointRecord[];
    /** `container`: whose network it has. */
    readonly container?: string;
  };
  /** Image config and flags, merged: what will be executed. */
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    /** `-u` or the image's User; empty means root. */
    readonly user: string;
    readonly tty: boolean;
    readonly openStdin: boolean;
    readonly stopSignal: string;
    /** Seconds. */
    readonly stopTimeout: number;
    readonly init: boolean;
  };
  /** `args` split again as docker's inspect shows it. */
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly mounts: readonly MountRecord[];
  readonly hostname: string;
  readonly domainname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly autoRemove: boolean;
  readonly readOnly: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or the text of a profile file read at create time. */
  readonly seccomp: string;
  readonly rootEmulation: boolean;
  readonly shmSize: number;
  readonly addHost: readonly string[];
  readonly dns: readonly string[];
  readonly ulimits: readonly { name: string; soft: number; hard: number }[];
  readonly oomScoreAdj: number | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly platform: string;
  /** Ports the image exposes, `80/tcp`. */
  readonly exposed: readonly string[];
  /** `--restart`; absent: `no`. `update` changes it. */
  readonly restart?: RestartPolicy;
  /** The image's or `--health-*`; absent: none. */
  readonly healthcheck?: HealthCheck;
  /** `--log-driver`, `--log-opt`; absent: json-file without limits. */
  readonly log?: LogConfig;
  /** `--annotation`: words of the OCI runtime specification, for whoever reads it; nothing in here does. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** `--group-add`: names and numbers, looked up in the container; or `keep-groups` alone. */
  readonly groupAdd?: readonly string[];
  /** Namespaces that are not the container's own, or not quite. */
  readonly namespaces?: NamespaceRecord;
  /** `--device` and what CDI adds. */
  readonly devices?: readonly DeviceRecord[];
  /** `--security-opt systempaths=unconfined`: nothing of /proc and /sys is hidden or read-only. */
  readonly systemPaths?: 'unconfined';
  /** `--security-opt userns=allow`: the container may make user namespaces of its own. */
  readonly nestedUserns?: true;
  /** `--strict`: every wall stands, or nothing starts. */
  readonly strict?: true;
  /** `-P`, for `inspect`: its ports are among `network.ports`. */
  readonly publishAll?: boolean;
  /** `--memory`, `--cpus` …; absent: none was given. `update` changes it. */
  readonly limits?: LimitsRecord;
}

export interface LimitsRecord {
  readonly resources: Resources;
  /** `--limits best-effort`: what cannot be enforced is approximated or left out, and said. */
  readonly bestEffort?: true;
  /** `--cgroup-parent`. */
  readonly parent?: string;
}

/** That of another container, by its full id. */
export type OfContainer = `container:${string}`;

/** Absent: a namespace of its own. */
export interface NamespaceRecord {
  readonly pid?: 'host' | OfContainer;
  /** `none`: its own, without /dev/shm. `shareable`: its own, which other containers may share. */
  readonly ipc?: 'host' | 'none' | 'shareable' | OfContainer;
  readonly uts?: 'host';
  readonly cgroup?: 'host';
}

/** A device node of the host that is bound into the container. */
export interface DeviceRecord {
  readonly source: string;
  readonly target: string;
  /** As given: letters of `rwm`. */
  readonly permissions: string;
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  /** `on-failure:N`; 0: without a limit. */
  readonly maximumRetryCount: number;
}

/** docker's HealthConfig with its defaults filled in; times are milliseconds. */
export interface HealthCheck {
  /** `['CMD', program, arg…]` or `['CMD-SHELL', text]`. */
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface LogConfig {
  /** All but `none` are the same file in the CRI format; `inspect` shows the word. */
  readonly driver: 'json-file' | 'local' | 'k8s-file' | 'none';
  /** Bytes at which the file is put aside; absent: never. */
  readonly maxSize?: number;
  /** Files kept, the current one included; default 1. */
  readonly maxFile?: number;
  /** As they were given, for `inspect`. */
  readonly options: Readonly<Record<string, string>>;
}

export type UsernsMode = 'ranges' | 'single' | 'keep-id' | 'root';

export interface MountRecord {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Host path (bind), volume name (volume), empty (tmpfs). */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /**
   * tmpfs options, or of bind and volume what is not the default: propagation (`rslave` …), `bind` (without what is mounted below),
   * `nocopy`, `U` (given to the container's user at each start).
   */
  readonly options: readonly string[];
  /** An anonymous volume: removed with `rm -v` and `--rm`. */
  readonly anonymous: boolean;
}

/** `containers/<id>/state.json`, written by the supervisor (docs/helper-protocol.md). */
export interface StateFile {
  readonly version: 1;
  readonly status: 'running' | 'exited';
  readonly pid: number;
  /** Clock ticks since boot, /proc/PID/stat field 22. */
  readonly start: number;
  readonly supervisor: number;
  readonly supervisor_start: number;
  readonly boot: string;
  readonly started_at: string;
  readonly finished_at: string;
  readonly exit_code: number;
  readonly signal: number;
  readonly oom: boolean;
}

/** The truth about a container now: its state file checked against the processes that live. */
export interface ContainerState {
  readonly status: 'created' | 'running' | 'exited' | 'dead';
  /** Running, but stopped by `pause`. */
  readonly paused: boolean;
  /** Exited, and its supervisor waits to start it again (`--restart`). */
  readonly restarting: boolean;
  /** 0 when not running. */
  readonly pid: number;
  readonly start: number;
  readonly supervisor: number;
  readonly supervisorStart: number;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly exitCode: number;
  readonly oom: boolean;
  /** Set when the supervisor was killed and the end could not be recorded. */
  readonly error: string | undefined;
}
