import type { CreateOptions } from './types.ts';

/** Options of {@link Tsbox.sandbox}: those of a container, without what only a command of its own would have. */
export interface SandboxOptions
  extends Omit<
    CreateOptions,
    | 'command'
    | 'entrypoint'
    | 'interactive'
    | 'tty'
    | 'autoRemove'
    | 'init'
    | 'restart'
    | 'health'
    | 'stopSignal'
    | 'stopTimeout'
    | 'logDriver'
    | 'logOptions'
    | 'cidfile'
  > {
  /** As of `run`. Default: `none`, no network but a loopback of its own. */
  network?: string;
  /** Whether programs may gain rights by setuid bits and file capabilities. Default: false (no_new_privs is set). */
  newPrivileges?: boolean;
}

/** Options of {@link Sandbox.exec}. */
export interface SandboxExecOptions {
  /** Added to the sandbox's own environment. Default: nothing is added. */
  env?: Readonly<Record<string, string>>;
  /** An absolute path inside. Default: the sandbox's working directory. */
  cwd?: string;
  /** What its stdin gives. Default: /dev/null. */
  stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  /** The command and all it has started are killed after that many milliseconds. Default: never. */
  timeoutMs?: number;
  /** Bytes of stdout and stderr together; what comes after is thrown away, and the command does not notice. Default: 16 MiB. */
  maxOutputBytes?: number;
  /** Bytes of private memory that each single process of it may have (RLIMIT_DATA). Default: the sandbox's. For a limit of
   * all together see the sandbox's own options. */
  memoryBytes?: number;
  /** Kill what it leaves running in the background when it ends. Default: false, as docker's exec. */
  killBackground?: boolean;
  /** Kills the command and all it has started; the call rejects with ABORTED. */
  signal?: AbortSignal;
  /** Gets pieces of stdout as they come. They are in the result all the same. */
  onStdout?: (bytes: Buffer) => void;
  /** Gets pieces of stderr as they come. */
  onStderr?: (bytes: Buffer) => void;
}

/** What a command of a sandbox has done. */
export interface SandboxResult {
  /** 0 to 255; 128 + n when signal n ended it. */
  readonly exitCode: number;
  /** `SIGKILL` …; undefined when it ended by itself. */
  readonly signal: NodeJS.Signals | undefined;
  /** What it wrote there; with `stderr` at most `maxOutputBytes`. */
  readonly stdout: Buffer;
  /** What it wrote there. */
  readonly stderr: Buffer;
  /** Output beyond `maxOutputBytes` was thrown away. */
  readonly truncated: boolean;
  /** It was killed because of `timeoutMs`. */
  readonly timedOut: boolean;
  /** Milliseconds of wall clock, from its fork to its end. */
  readonly durationMs: number;
  /** Milliseconds of processor time of it and the processes it has waited for. */
  readonly cpuMs: number;
  /** Bytes; largest resident set of one of its processes. */
  readonly peakMemoryBytes: number;
}

/** Options of {@link Sandbox.writeFile}. */
export interface SandboxWriteOptions {
  /** Permission bits, 0o644 for a new file by default; a file that is there keeps its own. */
  mode?: number;
  /** Default: never called off. */
  signal?: AbortSignal;
}
