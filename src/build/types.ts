import type { Readable } from 'node:stream';
import type { Dockerfile, Instruction, ParsedStage, SourceRange } from './instructions.ts';

/** A secret for `RUN --mount=type=secret`: a file of the caller's, a variable of `callerEnv`, or the bytes themselves. */
export interface BuildSecret {
  /** The `id=` of the mount. */
  readonly id: string;
  /** Path of a file of this machine. Throws NOT_FOUND when it is not there. */
  readonly file?: string;
  /** Name of a variable of `callerEnv`. */
  readonly env?: string;
  /** The secret itself. */
  readonly value?: Uint8Array;
}

/** An agent for `RUN --mount=type=ssh`: `id=path-of-socket`. */
export interface BuildSsh {
  /** The `id=` of the mount; `default` where the mount has none. */
  readonly id: string;
  /** Default: $SSH_AUTH_SOCK of `callerEnv`. */
  readonly socket?: string;
}

/** Where the result goes; `image` (default) is the store. */
export interface BuildOutput {
  /** The store, a directory, a tar of the files, or an archive of the image. */
  readonly type: 'image' | 'local' | 'tar' | 'oci' | 'docker';
  /** A directory for `local`, a file or stream for the archives. */
  readonly dest?: string | NodeJS.WritableStream;
  /** `name=` of image, oci and docker, in addition to `tags`. */
  readonly names?: readonly string[];
}

/** What `Tsbox.build` takes; docker's words, already split into values. */
export interface BuildOptions {
  /** A directory, a tar file, a URL of one, a git URL (`https://….git#ref:subdir`), or a stream with a tar archive. Absent: an empty context. */
  context?: string | Readable;
  /** Path of the Dockerfile: beneath the context, else of this machine. Default: `Dockerfile`, `Containerfile` in the context. */
  dockerfile?: string;
  /** The Dockerfile itself. */
  dockerfileText?: string;
  /** `--build-context`: name → directory, URL, `docker-image://reference`, or the reference of an image. */
  buildContexts?: Readonly<Record<string, string>>;
  /** Names of the image. Throws BAD_REFERENCE. Default: none. */
  tags?: readonly string[];
  /** A value of undefined: the variable of that name in `callerEnv`, else the ARG's own default. */
  buildArgs?: Readonly<Record<string, string | undefined>>;
  /** Where secrets, agents and build arguments without a value look. Default: nothing; the CLI gives process.env. */
  callerEnv?: Readonly<Record<string, string | undefined>>;
  /** Name or number of the last stage to build. Default: the last. */
  target?: string;
  /** Do every step again. Default: false. */
  noCache?: boolean;
  /** Names of the stages whose steps are done again; the others may be cached. */
  noCacheFilter?: readonly string[];
  /** Ask the registries for newer base images. */
  pull?: boolean;
  /** Labels of the image, after the Dockerfile's own. */
  labels?: Readonly<Record<string, string>>;
  /** Annotations of the image's manifest. */
  annotations?: Readonly<Record<string, string>>;
  /** `os/arch[/variant]`. */
  platform?: string;
  /** Of RUN: `default`, `none`, `host`, or a network of `run`. */
  network?: string;
  /** For `RUN --mount=type=secret`. No layer holds them. */
  secrets?: readonly BuildSecret[];
  /** For `RUN --mount=type=ssh`. */
  ssh?: readonly BuildSsh[];
  /** Lines of /etc/hosts while RUN runs: `name:address`. */
  addHost?: readonly string[];
  /** Bytes of /dev/shm of RUN. Default: 64 MiB. */
  shmSize?: number;
  /** `name=soft[:hard]` of RUN. */
  ulimits?: readonly string[];
  /** Limits of RUN, in the words and units of `run`. */
  memory?: number;
  /** Bytes of memory and swap together, of each RUN; -1: no limit. */
  memorySwap?: number;
  /** As in ResourceOptions, of each RUN. */
  cpuShares?: number;
  /** As in ResourceOptions, of each RUN. */
  cpuPeriod?: number;
  /** As in ResourceOptions, of each RUN. */
  cpuQuota?: number;
  /** As in ResourceOptions, of each RUN. */
  cpusetCpus?: string;
  /** As in ResourceOptions, of each RUN. */
  cpusetMems?: string;
  /** As in CreateOptions, of each RUN. */
  cgroupParent?: string;
  /** As in CreateOptions, of each RUN. */
  securityOpt?: readonly string[];
  /** Entitlements for `RUN --network=host` and `--security=insecure`: `network.host`, `security.insecure`. */
  allow?: readonly string[];
  /** One layer over the base instead of one per instruction. */
  squash?: boolean;
  /** Images whose layers are taken for equal steps. */
  cacheFrom?: readonly string[];
  /** Where the result goes. Default: the store. */
  outputs?: readonly BuildOutput[];
  /** Seconds: every time stamp of the image becomes this one. Default: $SOURCE_DATE_EPOCH of `callerEnv` or the build argument. */
  sourceDateEpoch?: number;
  /** Steps at the same time. Default: a few. */
  jobs?: number;
  /** Only look for mistakes: `build --check`. */
  check?: boolean;
  /** Called in order, while the build goes on. Must not throw. */
  onEvent?: (event: BuildEvent) => void;
}

/** What {@link Tsbox.build} made. */
export interface BuildResult {
  /** `sha256:…` of the image's config; absent when every output went elsewhere, and for `check`. */
  readonly id?: string;
  /** `sha256:…` of the manifest; absent as `id`. */
  readonly digest?: string;
  /** The names it was given. */
  readonly names: readonly string[];
  /** What the Dockerfile could do better, in the order of the file. */
  readonly warnings: readonly BuildWarning[];
}

/** Something in a Dockerfile that works and is probably not meant. */
export interface BuildWarning {
  /** One sentence. */
  readonly message: string;
  /** Name of the Dockerfile. */
  readonly file?: string;
  /** Where in it. */
  readonly range?: SourceRange;
}

/** Common to all events about a step. */
interface StepEvent {
  /** Number of the step from 1, in the order of beginning; docker's `#N`. */
  readonly step: number;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** A step has begun: `[internal] load build context`, `[build 2/5] RUN make`. */
export interface StepStartEvent extends StepEvent {
  /** Tells the events apart. */
  readonly type: 'step-start';
  /** One line, as docker shows it. */
  readonly title: string;
  /** Name or number of the stage; absent for steps of the build itself. */
  readonly stage?: string;
  /** Of the instruction, from the Dockerfile. */
  readonly range?: SourceRange;
}

/** A piece of what a RUN wrote. */
export interface StepLogEvent extends StepEvent {
  /** Tells the events apart. */
  readonly type: 'step-log';
  /** Where it wrote it. */
  readonly stream: 'stdout' | 'stderr';
  /** As the command wrote it: any bytes, any pieces of lines. */
  readonly data: Uint8Array;
}

/** Progress of one part of a step: a layer of a pull, the context's bytes. Docker's words. */
export interface StepProgressEvent extends StepEvent {
  /** Tells the events apart. */
  readonly type: 'step-progress';
  /** Of the part among its siblings: a short digest for a layer. */
  readonly id: string;
  /** Docker's words: `Downloading`, `Extracting` … */
  readonly status: string;
  /** Bytes. */
  readonly current?: number;
  /** Bytes; absent when unknown. */
  readonly total?: number;
}

/** A step has ended well. */
export interface StepDoneEvent extends StepEvent {
  /** Tells the events apart. */
  readonly type: 'step-done';
  /** Its result was there already. */
  readonly cached: boolean;
}

/** The step failed and with it the build; the call rejects as well. */
export interface StepFailedEvent extends StepEvent {
  /** Tells the events apart. */
  readonly type: 'step-failed';
  /** What failed, as the error of the call says it. */
  readonly message: string;
  /** Of the command, for RUN. */
  readonly exitCode?: number;
}

/** Given up because another step failed or the caller has cancelled. */
export interface StepCancelledEvent extends StepEvent {
  /** Tells the events apart. */
  readonly type: 'step-cancelled';
}

/** A warning, as soon as it is known; it is in the result as well. */
export interface WarningEvent {
  /** Tells the events apart. */
  readonly type: 'warning';
  /** The warning. */
  readonly warning: BuildWarning;
}

/** The result has its name. */
export interface ImageEvent {
  /** Tells the events apart. */
  readonly type: 'image';
  /** `sha256:…` of the config. */
  readonly id: string;
  /** The names it was given. */
  readonly names: readonly string[];
}

/** How many steps of the stages there will be; once, before them. */
export interface PlanEvent {
  /** Tells the events apart. */
  readonly type: 'plan';
  /** Name of the Dockerfile. */
  readonly file: string;
  /** Of the Dockerfile, for showing the line that failed. */
  readonly text: string;
  /** How many. */
  readonly steps: number;
}

/** What `BuildOptions.onEvent` is told; `type` tells which it is. */
export type BuildEvent =
  | PlanEvent
  | StepStartEvent
  | StepLogEvent
  | StepProgressEvent
  | StepDoneEvent
  | StepFailedEvent
  | StepCancelledEvent
  | WarningEvent
  | ImageEvent;

/** Where files or a base come from. */
export type ContentSource =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'context'; readonly name: string };

/** A stage of a Dockerfile, its references resolved. */
export interface Stage extends ParsedStage {
  /** From 0, its place in the file. */
  readonly index: number;
  /** `AS` name, else `stage-N`. */
  readonly name: string;
  /** What FROM names. */
  readonly base: ContentSource;
  /** Of the base image and of what runs; absent: the build's. */
  readonly platform?: string;
  /** Stages that it needs, base included, each once. */
  readonly needs: readonly number[];
}

/** What is to be built. */
export interface StageGraph {
  /** The file as it was parsed. */
  readonly dockerfile: Dockerfile;
  /** Every stage of the file, also the unused. */
  readonly stages: readonly Stage[];
  /** Index of the stage that is wanted. */
  readonly target: number;
  /** Indexes of the stages that the target needs, itself last; each after those that it needs. */
  readonly order: readonly number[];
  /** Values of the ARGs before the first FROM, build arguments applied. */
  readonly globals: ReadonlyMap<string, string>;
  /** Where `--from` of an instruction of `stage` leads (COPY, RUN --mount). Throws DOCKERFILE for a stage that comes later. */
  sourceOf(stage: number, from: string, instruction: Instruction): ContentSource;
}

/** One thing of a context, ignored ones left out. */
export interface ContextEntry {
  /** Below the context's root, `/` between names, no leading slash; the root itself is not listed. */
  readonly path: Buffer;
  /** What it is; devices, FIFOs and sockets are left out. */
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  /** Bytes; 0 for what is no file. */
  readonly size: number;
  /** Milliseconds. */
  readonly mtime: number;
  /** Of a symbolic link. */
  readonly target?: Buffer;
  /** Device and inode, to see hard links; links is how many names the inode has. */
  readonly dev: number;
  /** Inode number. */
  readonly ino: number;
  /** How many names the inode has. */
  readonly links: number;
}

/**
 * The files that COPY and ADD may take. Owner of everything is 0:0, as docker's client sends it. Nothing in it is ever reached through a
 * link: `open` walks by descriptor and refuses links on the way (a context may change while it is read).
 */
export interface BuildContext {
  /** The directory on this machine; of an archive or repository a temporary one. */
  readonly root: string;
  /** Everything not ignored, parents before children, each directory's names in byte order. Listed once, then remembered. */
  entries(): readonly ContextEntry[];
  /** A descriptor of a regular file of the context, for reading; the caller closes it. Throws IO with the path when it is no longer one. */
  open(path: Buffer): number;
  /** Removes what was temporary. */
  close(): Promise<void>;
}
