import type { ChildProcess, SpawnOptions, StdioOptions } from 'node:child_process';
import { TsboxError } from '../errors.ts';
import { builtin } from '../util/builtin.ts';
import { dropPrestarted } from './prestarted.ts';

/** The only file that starts processes, but for the single file's first helper (src/exe/early.ts). */
function spawn(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  dropPrestarted();
  return builtin('node:child_process').spawn(file, args, options);
}

export interface ProgramOptions {
  /** Written to its stdin; default: nothing, stdin is /dev/null. */
  readonly input?: string | Uint8Array;
  /** Its whole environment. Default: the one tsbox was started with. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Killed (SIGKILL) after that many milliseconds. Default: never. */
  readonly timeoutMs?: number;
}

export interface ProgramResult {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. A status that is not 0 is a result; rejects with HOST when it cannot be started at all. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(options.env && { env: options.env }),
      ...(options.cwd && { cwd: options.cwd }),
      ...(options.timeoutMs && { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    child.on('error', cause => reject(cannotStart(file, cause)));
    child.on('close', (status, signal) => resolve({ status, signal, stdout: stdout(), stderr: stderr() }));
    // A program that ends without reading its input is no error of ours; its status tells.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
}

export interface HelperOptions {
  /** What `ps` shows in place of the program's name. */
  readonly argv0?: string;
  readonly stdio: StdioOptions;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Starts a program and returns at once; failures to start come as its `error` event. */
export function spawnHelper(file: string, args: readonly string[], options: HelperOptions): ChildProcess {
  return spawn(file, args, {
    stdio: options.stdio,
    ...(options.argv0 !== undefined && { argv0: options.argv0 }),
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

const cannotStart = (file: string, cause: Error): TsboxError =>
  new TsboxError('HOST', `${file} cannot be started: ${cause.message}`, { cause });
