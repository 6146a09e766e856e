import type { Readable } from 'node:stream';
import type { Dockerfile, Instruction, ParsedStage, SourceRange } from './instructions.ts';

/** A secret for `RUN --mount=type=secret`: a file of the caller's, a variable of `callerEnv`, or the bytes themselves. */
export interface BuildSecret {
  readonly id: string;
  readonly file?: string;
  readonly env?: string;
  readonly value?: Uint8Array;
}

/** An agent for `RUN --mount=type=ssh`: `id=path-of-socket`. */
export interface BuildSsh {
  readonly id: string;
  /** Default: $SSH_AUTH_SOCK of `callerEnv`. */
  readonly socket?: string;
}

/** Where the result goes; `image` (default) is the store. */
export interface BuildOutput {
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
  tags?: readonly string[];
  /** A value of undefined: the variable of that name in `callerEnv`, else the ARG's own default. */
  buildArgs?: Readonly<Record<string, string | undefined>>;
  callerEnv?: Readonly<Record<string, string | undefined>>;
  /** Name or number of the last stage to build. Default: the last. */
  target?: string;
  noCache?: boolean;
  /** Names of the stages whose steps are done again; the others may be cached. */
  noCacheFilter?: readonly string[];
  /** Ask the registries for newer base images. */
  pull?: boolean;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  /** `os/arch[/variant]`. */
  platform?: string;
  /** Of RUN: `default`, `none`, `host`, or a network of `run`. */
  network?: string;
  secrets?: readonly BuildSecret[];
  ssh?: readonly BuildSsh[];
  addHost?: readonly string[];
  shmSize?: number;
  ulimits?: readonly string[];
  /** Limits of RUN, in the words and units of `run`. */
  memory?: number;
  memorySwap?: number;
  cpuShares?: number;
  cpuPeriod?: number;
  cpuQuota?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  cgroupParent?: string;
  securityOpt?: readonly string[];
  /** Entitlements for `RUN --network=host` and `--security=insecure`: `network.host`, `security.insecure`. */
  allow?: readonly string[];
  /** One layer over the base instead of one per instruction. */
  squash?: boolean;
  /** Images whose layers are taken for equal steps. */
  cacheFrom?: readonly string[];
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

export interface BuildResult {
  /** `sha256:…` of the image's config; absent when every output went elsewhere, and for `check`. */
  readonly id?: string;
  readonly digest?: string;
  /** The names it was given. */
  readonly names: readonly string[];
  readonly warnings: readonly BuildWarning[];
}

export interface BuildWarning {
  readonly message: string;
  readonly file?: string;
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
  readonly type: 'step-start';
  readonly title: string;
  /** Name or number of the stage; absent for steps of the build itself. */
  readonly stage?: string;
  /** Of the instruction, from the Dockerfile. */
  readonly range?: SourceRange;
}

export interface StepLogEvent extends StepEvent {
  readonly type: 'step-log';
  readonly stream: 'stdout' | 'stderr';
  /** As the command wrote it: any bytes, any pieces of lines. */
  readonly data: Uint8Array;
}

/** Progress of one part of a step: a layer of a pull, the context's bytes. Docker's words. */
export interface StepProgressEvent extends StepEvent {
  readonly type: 'step-progress';
  readonly id: string;
  readonly status: string;
  /** Bytes. */
  readonly current?: number;
  readonly total?: number;
}

export interface StepDoneEvent extends StepEvent {
  readonly type: 'step-done';
  /** Its result was there already. */
  readonly cached: boolean;
}

/** The step failed and with it the build; the call rejects as well. */
export interface StepFailedEvent extends StepEvent {
  readonly type: 'step-failed';
  readonly message: string;
  /** Of the command, for RUN. */
  readonly exitCode?: number;
}

/** Given up because another step failed or the caller has cancelled. */
export interface StepCancelledEvent extends StepEvent {
  readonly type: 'step-cancelled';
}

export interface WarningEvent {
  readonly type: 'warning';
  readonly warning: BuildWarning;
}

/** The result has its name. */
export interface ImageEvent {
  readonly type: 'image';
  readonly id: string;
  readonly names: readonly string[];
}

/** How many steps of the stages there will be; once, before them. */
export interface PlanEvent {
  readonly type: 'plan';
  readonly file: string;
  /** Of the Dockerfile, for showing the line that failed. */
  readonly text: string;
  readonly steps: number;
}

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

export interface Stage extends ParsedStage {
  /** From 0, its place in the file. */
  readonly index: number;
  /** `AS` name, else `stage-N`. */
  readonly name: string;
  readonly base: ContentSource;
  /** Of the base image and of what runs; absent: the build's. */
  readonly platform?: string;
  /** Stages that it needs, base included, each once. */
  readonly needs: readonly number[];
}

/** What is to be built. */
export interface StageGraph {
  readonly dockerfile: Dockerfile;
  /** Every stage of the file, also the unused. */
  readonly stages: readonly Stage[];
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
  readonly ino: number;
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
