import type { Reporter } from '../log.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import type { PullPolicy } from './registry-types.ts';
import type { ResourceOptions } from './resource-types.ts';

export type { SourceRange } from '../build/instructions.ts';
export type * from '../build/types.ts';
export type { EventRecord } from '../store/events.ts';

export type * from './container-types.ts';
export type * from './disk-types.ts';
export type * from './image-types.ts';
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
  /** Default: `adjective_noun`. Throws CONFLICT when it is taken. */
  name?: string;
  /** Replaces the image's Entrypoint; `[]` removes it. */
  entrypoint?: readonly string[];
  /** `NAME=value`; a bare `NAME` takes the caller's value (`callerEnv`), or is left out when there is none. */
  env?: readonly string[];
  /** Where bare names in `env` look. Default: nothing; the CLI gives process.env. */
  callerEnv?: Readonly<Record<string, string | undefined>>;
  /** Absolute path inside; made if it is missing. Default: the image's WorkingDir, else `/`. */
  workdir?: string;
  /** `uid[:gid]`, `name[:group]`. */
  user?: string;
  /** Default: the first 12 digits of the id; with `network: 'host'` this machine's. */
  hostname?: string;
  /** NIS domain name. Default: none. */
  domainname?: string;
  /** Added to the image's own. Default: none. */
  labels?: Readonly<Record<string, string>>;
  /** Keep stdin open. */
  interactive?: boolean;
  /** The command gets a terminal of its own; stdout and stderr are one stream then. Default: false. */
  tty?: boolean;
  /** Remove the container when it has ended. */
  autoRemove?: boolean;
  /** No file outside of volumes and tmpfs can be changed. Default: false. */
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
  /** Capabilities (`NET_ADMIN` or `CAP_NET_ADMIN`, `ALL`) beside docker's default ones. All are capabilities of the user namespace. */
  capAdd?: readonly string[];
  /** Capabilities taken away, or `ALL`; what `capAdd` names stays. */
  capDrop?: readonly string[];
  /** `no-new-privileges`, `seccomp=unconfined|FILE`, `systempaths=unconfined`. */
  securityOpt?: readonly string[];
  /** `--strict`: what cannot be enforced here is an error; implies no-new-privileges. */
  strict?: boolean;
  /** As in PullOptions. */
  requireSignature?: boolean;
  /** As in PullOptions: path of a containers-policy.json(5). */
  signaturePolicy?: string;
  /** Every capability of the user namespace, no seccomp filter, nothing masked. Gives no right on the machine. Default: false. */
  privileged?: boolean;
  /** A small init as pid 1 that reaps and forwards signals. */
  init?: boolean;
  /** Default: `auto`, the first that a probe mount proves. Throws STORAGE when the one named does not work here. */
  storageDriver?: StorageDriverName | 'auto';
  /** `auto` (ranges, else single), `ranges`, `single`, `keep-id[:uid=N,gid=N]`; `host` is refused. */
  userns?: string;
  /** Answer chown, setuid … with success in single mode. Default: on in single mode, off elsewhere. */
  rootEmulation?: boolean;
  /** `missing` (default), `always`, `never` (NOT_FOUND when the image is not here). */
  pull?: PullPolicy;
  /** `os/arch[/variant]` of the image. Default: this machine's. */
  platform?: string;
  /** Name or number of the signal of `stop`. Default: the image's, else SIGTERM. */
  stopSignal?: string;
  /** Seconds between the stop signal and SIGKILL; default 10. */
  stopTimeout?: number;
  /** Bytes of /dev/shm. Default: 64 MiB. */
  shmSize?: number;
  /** Lines of /etc/hosts: `name:address`; the address `host-gateway` is this machine. */
  addHost?: readonly string[];
  /** Addresses of name servers. Default: the network's. */
  dns?: readonly string[];
  /** Domains that complete a name. Default: this machine's; `.` alone: none. */
  dnsSearch?: readonly string[];
  /** Options of resolv.conf: `ndots:2`. Default: this machine's. */
  dnsOptions?: readonly string[];
  /** Ports that the container listens on: `80`, `80-90/udp`. */
  expose?: readonly string[];
  /** Publishes each exposed port on a free port of this machine. */
  publishAll?: boolean;
  /** In the first user-defined network; refused where the network gives the addresses itself. */
  ip?: string;
  /** As `ip`, of IPv6. */
  ip6?: string;
  /** Hardware address in the first user-defined network. Default: made from its IPv4 address. */
  macAddress?: string;
  /** Further names in the first user-defined network. */
  networkAliases?: readonly string[];
  /** Further, link-local addresses in the first user-defined network. */
  linkLocalIps?: readonly string[];
  /** `private` (default), `host`. */
  pid?: string;
  /** `private` (default), `host`, `none`, `shareable`. */
  ipc?: string;
  /** `host`; default: its own. */
  uts?: string;
  /** Further groups of the user by name or number, or `keep-groups`: the caller's own. */
  groupAdd?: readonly string[];
  /** Of the OCI runtime's configuration; tsbox gives them no meaning. */
  annotations?: Readonly<Record<string, string>>;
  /** docker's --restart: `no`, `on-failure[:max]`, `always`, `unless-stopped`. */
  restart?: string;
  /** docker's --health-*. Default: the image's check. */
  health?: HealthOptions;
  /** `json-file` (default), `local`, `k8s-file`, `none`. */
  logDriver?: string;
  /** `max-size=10m`, `max-file=3`. */
  logOptions?: readonly string[];
  /** Writes the container's id here; the file must not exist. */
  cidfile?: string;
  /** `name=soft[:hard]`: `nofile=1024:2048`; -1 or `unlimited`: none. Throws USAGE for a name that is not known. */
  ulimits?: readonly string[];
  /** -1000 to 1000; higher is killed sooner. Default: the caller's own; less than that throws USAGE. */
  oomScoreAdj?: number;
  /** Kernel parameters of the container's namespaces: `net.ipv4.ip_forward` → `1`. Others throw USAGE. */
  sysctls?: Readonly<Record<string, string>>;
  /** Limits of a control group. Default: none. */
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
  /** Between the end of a check and the next. Default: 30s. */
  interval?: string;
  /** A check that takes longer has failed. Default: 30s. */
  timeout?: string;
  /** Failures before that do not count. Default: 0s. */
  startPeriod?: string;
  /** Between checks until the first good one of the start period. Default: 5s. */
  startInterval?: string;
  /** Failures in a row that make it unhealthy. Default: 3. */
  retries?: number;
  /** No check at all, whatever the image says. */
  none?: boolean;
}

/** Which of the caller's streams are connected: descriptors 0 to 2 of the calling process, or pipes given back. */
export interface AttachOptions {
  /** Default: false. */
  stdin?: boolean;
  /** Default: true. */
  stdout?: boolean;
  /** Default: true; with a terminal there is none. */
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
  /** Of the container. */
  readonly id: string;
  /** With `stdio: 'pipe'`; its end is the end of the command's stdin. */
  readonly stdin: NodeJS.WritableStream | undefined;
  /** With `stdio: 'pipe'`. Read it to its end: a full pipe stops the command. */
  readonly stdout: NodeJS.ReadableStream | undefined;
  /** With `stdio: 'pipe'`, and no terminal. */
  readonly stderr: NodeJS.ReadableStream | undefined;
  /** Sends a signal to the container's command. */
  kill(signal: string | number): void;
  /** Resolves with docker's status (128 + n for signals), or `{detached: true}` when the user typed the detach keys. */
  wait(): Promise<AttachedResult>;
}

/** How a connected command ended. */
export interface AttachedResult {
  /** 0 to 255; 128 + n when signal n ended it. */
  readonly exitCode: number;
  /** The user typed the detach keys; it goes on. */
  readonly detached: boolean;
}

/** What `exec` takes. */
export interface ExecOptions {
  /** Program and arguments. Throws COMMAND_NOT_FOUND or COMMAND_NOT_EXECUTABLE. */
  command: readonly string[];
  /** As in CreateOptions; added to the container's. */
  env?: readonly string[];
  /** As in CreateOptions. */
  callerEnv?: Readonly<Record<string, string | undefined>>;
  /** Absolute path inside. Default: the container's. */
  workdir?: string;
  /** As in CreateOptions. Default: the container's. Throws USER. */
  user?: string;
  /** The command gets a terminal of its own. Default: false. */
  tty?: boolean;
  /** Keep stdin open. Default: false. */
  interactive?: boolean;
  /** Every capability of the container's user namespace. Default: false. */
  privileged?: boolean;
}

/** What a program gets from `Tsbox.capture` and friends. */
export interface CapturedResult {
  /** 0 to 255; 128 + n when signal n ended it. */
  readonly exitCode: number;
  /** All that it wrote there. */
  readonly stdout: Buffer;
  /** All that it wrote there. */
  readonly stderr: Buffer;
}

/** docker's --filter, parsed: key to values; several values of a key are alternatives, keys are combined. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Which events; times are epoch milliseconds. */
export interface EventsOptions {
  /** Default: from now on. */
  since?: number;
  /** Default: for ever. */
  until?: number;
  /** `container`, `event`, `image`, `label`, `type`, `volume`, `network`. Default: all. */
  filters?: Filters;
}

/** What `update` changes. */
export interface UpdateOptions {
  /** docker's --restart: `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
  restart?: string;
  /** A container that runs gets them at once. */
  resources?: ResourceOptions;
}

/** What `doctor` found out about one step of a run. */
export interface DoctorCheck {
  /** What was looked at; stable: `userns`, `idmap`, `mount`, `overlay`, … */
  readonly id: string;
  /** What was looked at, in words. */
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
