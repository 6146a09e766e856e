import type { Reporter } from '../log.ts';
import type { PortMapping } from '../network/driver.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import type { PullPolicy } from './registry-types.ts';
import type { ResourceOptions } from './resource-types.ts';

export type { SourceRange } from '../build/instructions.ts';
export type * from '../build/types.ts';
export type { EventRecord } from '../store/events.ts';

export type * from './disk-types.ts';
export type * from './layer-types.ts';
export type * from './network-types.ts';
export type * from './registry-types.ts';
export type * from './resource-types.ts';
export type * from './sandbox-types.ts';
export type * from './stats-types.ts';

/** Options of `Tsbox.open`. Everything has the default that docs/state.md gives. */
export interface OpenOptions {
  /** The store. Default: $TSBOX_ROOT, the config file, $XDG_DATA_HOME/tsbox, ~/.local/share/tsbox. */
  root?: string;
  /** Sockets and pids. Default: $TSBOX_RUNTIME_DIR, the config file, $XDG_RUNTIME_DIR/tsbox, a private directory under the system's temp. */
  runtimeDir?: string;
  /** The configuration file. Default: $XDG_CONFIG_HOME/tsbox/config.toml. */
  configFile?: string;
  /** Receives warnings, traces and progress; default: silent. */
  reporter?: Reporter;
  /** Cancels what is going on; the call rejects with ABORTED and undoes what it had begun. */
  signal?: AbortSignal;
}

/** What `create` and `run` take; docker's words, already split into values. */
export interface CreateOptions {
  /** Image reference, image id, or `host`. */
  image: string;
  /** Replaces the image's Cmd; empty or absent: the image's. */
  command?: readonly string[];
  name?: string;
  /** Replaces the image's Entrypoint; `[]` removes it. */
  entrypoint?: readonly string[];
  /** `NAME=value`; a bare `NAME` takes the caller's value (`callerEnv`), or is left out when there is none. */
  env?: readonly string[];
  /** Where bare names in `env` look. Default: nothing; the CLI gives process.env. */
  callerEnv?: Readonly<Record<string, string | undefined>>;
  workdir?: string;
  /** `uid[:gid]`, `name[:group]`. */
  user?: string;
  hostname?: string;
  domainname?: string;
  labels?: Readonly<Record<string, string>>;
  /** Keep stdin open. */
  interactive?: boolean;
  tty?: boolean;
  /** Remove the container when it has ended. */
  autoRemove?: boolean;
  readOnly?: boolean;
  /**
   * `slirp4netns[:options]`, `pasta[:options]`, `none`, `host`, `container:NAME`, or a user-defined network: `NAME`,
   * `NAME:alias=a,ip=1.2.3.4`. Default: slirp4netns, or pasta where that is missing.
   */
  network?: string;
  /** Further user-defined networks. */
  networks?: readonly string[];
  /** docker's -p: `[ip:][host:]container[/tcp|udp]`. */
  publish?: readonly string[];
  /** docker's -v: `source:target[:ro|rw]`; a source without `/` is a named volume, a lone target an anonymous one. */
  volumes?: readonly string[];
  /** docker's --tmpfs: `target[:options]`. */
  tmpfs?: readonly string[];
  /** docker's --mount: `type=bind|volume|tmpfs,source=…,target=…,…`. */
  mounts?: readonly string[];
  /** docker's --volumes-from: `container[:ro|rw]`. */
  volumesFrom?: readonly string[];
  /** docker's --device: `host[:container][:rwm]`, or a CDI name `vendor.com/class=name`. */
  devices?: readonly string[];
  /** docker's --gpus: `all`, a number, `device=0,1`; through the CDI files of nvidia.com/gpu. */
  gpus?: string;
  capAdd?: readonly string[];
  capDrop?: readonly string[];
  /** `no-new-privileges`, `seccomp=unconfined|FILE`, `systempaths=unconfined`. */
  securityOpt?: readonly string[];
  /** `--strict`: what cannot be enforced here is an error; implies no-new-privileges. */
  strict?: boolean;
  /** As in PullOptions. */
  requireSignature?: boolean;
  signaturePolicy?: string;
  privileged?: boolean;
  /** A small init as pid 1 that reaps and forwards signals. */
  init?: boolean;
  storageDriver?: StorageDriverName | 'auto';
  /** `auto` (ranges, else single), `ranges`, `single`, `keep-id[:uid=N,gid=N]`; `host` is refused. */
  userns?: string;
  /** Answer chown, setuid … with success in single mode. Default: on in single mode, off elsewhere. */
  rootEmulation?: boolean;
  pull?: PullPolicy;
  platform?: string;
  stopSignal?: string;
  /** Seconds between the stop signal and SIGKILL; default 10. */
  stopTimeout?: number;
  shmSize?: number;
  addHost?: readonly string[];
  dns?: readonly string[];
  dnsSearch?: readonly string[];
  dnsOptions?: readonly string[];
  /** Ports that the container listens on: `80`, `80-90/udp`. */
  expose?: readonly string[];
  /** Publishes each exposed port on a free port of this machine. */
  publishAll?: boolean;
  /** In the first user-defined network; refused where the network gives the addresses itself. */
  ip?: string;
  ip6?: string;
  macAddress?: string;
  networkAliases?: readonly string[];
  linkLocalIps?: readonly string[];
  /** `private` (default), `host`. */
  pid?: string;
  /** `private` (default), `host`, `none`, `shareable`. */
  ipc?: string;
  /** `host`; default: its own. */
  uts?: string;
  /** Further groups of the user by name or number, or `keep-groups`: the caller's own. */
  groupAdd?: readonly string[];
  annotations?: Readonly<Record<string, string>>;
  /** docker's --restart: `no`, `on-failure[:max]`, `always`, `unless-stopped`. */
  restart?: string;
  health?: HealthOptions;
  /** `json-file` (default), `local`, `k8s-file`, `none`. */
  logDriver?: string;
  /** `max-size=10m`, `max-file=3`. */
  logOptions?: readonly string[];
  /** Writes the container's id here; the file must not exist. */
  cidfile?: string;
  ulimits?: readonly string[];
  oomScoreAdj?: number;
  sysctls?: Readonly<Record<string, string>>;
  resources?: ResourceOptions;
  /** What becomes of a limit that cannot be enforced: an error (`strict`, default), or a warning and what comes near it (`best-effort`). */
  limits?: string;
  /** A slice (systemd), or a path below the delegated control group. */
  cgroupParent?: string;
  /** `private` (default), `host`. */
  cgroupns?: string;
}

/** docker's --health-*; times are Go's durations (`30s`). What is absent is the image's. */
export interface HealthOptions {
  /** A command for the container's shell. */
  cmd?: string;
  interval?: string;
  timeout?: string;
  startPeriod?: string;
  startInterval?: string;
  retries?: number;
  /** No check at all, whatever the image says. */
  none?: boolean;
}

/** Which of the caller's streams are connected: descriptors 0 to 2 of the calling process, or pipes given back. */
export interface AttachOptions {
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  /** `inherit`: this process's own descriptors (what the CLI does). `pipe`: streams on the returned Attached. */
  stdio?: 'inherit' | 'pipe';
  /** docker's syntax, default `ctrl-p,ctrl-q`. */
  detachKeys?: string;
  /** Forward signals this process gets. Default true for `inherit`. */
  sigProxy?: boolean;
}

/** A running command somebody is connected to. */
export interface Attached {
  readonly id: string;
  readonly stdin: NodeJS.WritableStream | undefined;
  readonly stdout: NodeJS.ReadableStream | undefined;
  readonly stderr: NodeJS.ReadableStream | undefined;
  /** Sends a signal to the container's command. */
  kill(signal: string | number): void;
  /** Resolves with docker's status (128 + n for signals), or `{detached: true}` when the user typed the detach keys. */
  wait(): Promise<AttachedResult>;
}

export interface AttachedResult {
  readonly exitCode: number;
  readonly detached: boolean;
}

export interface ExecOptions {
  command: readonly string[];
  env?: readonly string[];
  callerEnv?: Readonly<Record<string, string | undefined>>;
  workdir?: string;
  user?: string;
  tty?: boolean;
  interactive?: boolean;
  privileged?: boolean;
}

/** What a program gets from `Tsbox.capture` and friends. */
export interface CapturedResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  /** As the user wrote it. */
  readonly image: string;
  readonly imageId: string;
  readonly command: string;
  /** RFC 3339. */
  readonly created: string;
  readonly status: ContainerStatus;
  /** Absent where there is no health check, or the container does not run. */
  readonly health?: HealthStatus;
  readonly exitCode: number;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly pid: number;
  readonly ports: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly string[];
  readonly networks: readonly string[];
}

/** docker's --filter, parsed: key to values; several values of a key are alternatives, keys are combined. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Which events; times are epoch milliseconds. */
export interface EventsOptions {
  /** Default: from now on. */
  since?: number;
  /** Default: for ever. */
  until?: number;
  filters?: Filters;
}

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

export interface StopOptions {
  /** Seconds until SIGKILL; negative: never. Default: the container's. */
  timeout?: number;
  /** Default: the container's stop signal. */
  signal?: string;
}

/** A unit of the user's systemd. */
export interface SystemdUnit {
  /** `tsbox-web.service`. */
  readonly name: string;
  readonly text: string;
}

/** What `update` changes. */
export interface UpdateOptions {
  /** docker's --restart: `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
  restart?: string;
  /** A container that runs gets them at once. */
  resources?: ResourceOptions;
}

export interface LogsOptions {
  follow?: boolean;
  /** Number of lines, or `all`. */
  tail?: number | 'all';
  /** Epoch milliseconds. */
  since?: number;
  until?: number;
}

export interface LogLine {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Raw bytes, with the newline unless it is a partial line. */
  readonly data: Buffer;
}

export interface CopyOptions {
  /** docker's -a: keep uid and gid. Into a container: else root's. To the host: where the kernel lets the caller. */
  archive?: boolean;
  /** docker's -L: of a source that is a symbolic link, copy what it leads to. */
  followLink?: boolean;
}

export interface CopyResult {
  /** Bytes of the archive that went over. */
  readonly bytes: number;
  /** The destination, absolute. */
  readonly path: string;
}

/** Which images to list. */
export interface ImagesOptions {
  all?: boolean;
  filters?: Filters;
  reference?: string;
}

export interface ImageSummary {
  /** `sha256:…` of the config. */
  readonly id: string;
  /** `repository:tag` names; empty for a dangling image. */
  readonly names: readonly string[];
  /** `repository@sha256:…`. */
  readonly digests: readonly string[];
  readonly created: string;
  /** Bytes of the unpacked layers. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** `os/arch[/variant]`: which image of an index; default: this machine's. */
  readonly platform?: string;
}

export interface SaveOptions {
  /** Default: `docker-archive`, which is an OCI archive as well. */
  readonly format?: 'docker-archive' | 'oci-archive' | 'oci-dir';
  /** `os/arch[/variant]` that the images must be for. */
  readonly platform?: string;
}

export interface ImportOptions {
  /** Comment in the image's history. */
  readonly message?: string;
  /** Dockerfile instructions: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. */
  readonly changes?: readonly string[];
  /** `os/arch[/variant]` that the image is for; default: this machine's. */
  readonly platform?: string;
}

export interface RemovedImage {
  readonly untagged: readonly string[];
  readonly deleted: readonly string[];
}

export interface VolumeSummary {
  readonly name: string;
  readonly mountpoint: string;
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
}

export interface DoctorCheck {
  /** What was looked at; stable: `userns`, `idmap`, `mount`, `overlay`, … */
  readonly id: string;
  readonly title: string;
  /** `skip`: the ground for it is missing, and `detail` names that. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** What was found; stable: `userns-apparmor`, `tun-closed`, … (docs/host-setup.md has all). The check's id where nothing is missing. */
  readonly code: string;
  /** One line. */
  readonly detail: string;
  /** What that means, in one plain sentence; only where something is missing. */
  readonly meaning?: string;
  /** What the user may choose, in words. */
  readonly hint?: string;
  /** What the user may type. */
  readonly command?: string;
  /** What an administrator types as root: shell commands, a comment where no command will do. */
  readonly admin?: readonly string[];
}

/** What an administrator can give that is missing on this machine. */
export interface AdminRequest {
  /** A shell script for root with a comment at each part: to read, then to run. */
  readonly text: string;
  /** The same in parts; none: nothing is missing that an administrator could give. */
  readonly items: readonly { readonly codes: readonly string[]; readonly commands: readonly string[] }[];
}
