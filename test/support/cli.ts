import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SANITIZED } from './sanitized.ts';
import { PROJECT } from './source.ts';
import { type TempHome, tempHome } from './temp-home.ts';

/** The program that users run. */
export const TSBOX = process.env.TSBOX_TEST_BIN ?? join(PROJECT, 'dist/tsbox.cjs');

export interface Result {
  readonly code: number;
  readonly stdout: string;
  /** Without the line that says again and again that this user has no subordinate ids. */
  readonly stderr: string;
  readonly singleModeWarned: boolean;
  /** Milliseconds. */
  readonly duration: number;
}

export interface CallOptions {
  readonly input?: string | Uint8Array;
  /** Added to the sealed environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Milliseconds before it is killed and the test fails; default 30 s. */
  readonly limit?: number;
}

/** Calls tsbox in one home; `box('ps', '-a')` is `tsbox ps -a`. */
export interface Box {
  (...args: string[]): Promise<Result>;
  readonly home: TempHome;
  /** Asserts status 0 and gives stdout without the last newline. */
  ok(...args: string[]): Promise<string>;
  /** Asserts the status and a stderr of exactly one message that matches. */
  fails(code: number, message: RegExp, ...args: string[]): Promise<Result>;
  with(options: CallOptions): Box;
  /** Starts it and leaves it running, stdio piped. */
  start(...args: string[]): ChildProcess;
}

export function openBox(home: TempHome = tempHome(), options: CallOptions = {}): Box {
  const call = (...args: string[]): Promise<Result> => capture(TSBOX, args, home, options);
  return Object.assign(call, {
    home,
    ok: async (...args: string[]) => {
      const done = await call(...args);
      assert.is(done.code, 0, `${describe(args, done)}`);
      return done.stdout.replace(/\n$/, '');
    },
    fails: async (code: number, message: RegExp, ...args: string[]) => {
      const done = await call(...args);
      assert.is(done.code, code, describe(args, done));
      assert.match(done.stderr, message, describe(args, done));
      assertOneMessage(done, args);
      return done;
    },
    with: (more: CallOptions) => openBox(home, { ...options, ...more }),
    start: (...args: string[]) =>
      spawn(TSBOX, args, { env: envOf(home, options), cwd: options.cwd ?? home.dir }),
  });
}

/** Bad input gets one clear line, perhaps one more with what to do: no stack, nothing on stdout. */
function assertOneMessage(done: Result, args: string[]): void {
  const lines = done.stderr.split('\n').filter(line => line.trim() !== '');
  assert.ok(lines.length <= 3, `more than one message: ${describe(args, done)}`);
  assert.not.match(
    done.stderr,
    /^\s+at .*:\d+:\d+|Error:.*\n\s+at |undefined|\[object/m,
    describe(args, done),
  );
}

const describe = (args: string[], done: Result): string =>
  `tsbox ${args.join(' ')}: status ${done.code}\nstdout: ${done.stdout.slice(-2000)}\nstderr: ${done.stderr.slice(-2000)}`;

function envOf(home: TempHome, options: CallOptions): Record<string, string> {
  const entries = Object.entries({ ...home.env, ...options.env });
  return Object.fromEntries(entries.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
}

/** Runs any program in a home to its end. */
export async function capture(
  program: string,
  args: readonly string[],
  home: TempHome,
  options: CallOptions = {},
): Promise<Result> {
  const begun = Date.now();
  const child = spawn(program, args, { env: envOf(home, options), cwd: options.cwd ?? home.dir });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(options.input ?? '');
  let late = false;
  const limit = options.limit ?? (SANITIZED === undefined ? 30_000 : 120_000);
  const timer = setTimeout(() => {
    late = child.kill('SIGKILL');
  }, limit);
  const code = await statusOf(child);
  clearTimeout(timer);
  if (late) throw new Error(`tsbox ${args.join(' ')}: longer than ${limit} ms\n${stdout()}\n${stderr()}`);
  const said = stderr().replace(SINGLE_MODE, '');
  const warned = said !== stderr();
  return { code, stdout: stdout(), stderr: said, singleModeWarned: warned, duration: Date.now() - begun };
}

const SINGLE_MODE = /^tsbox: warning: .*no subordinate ids.*\n/m;

/** Everything a stream gives, as text so far. */
export function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** A shell's `$?` of a process: 128 + n for a signal. Waits until its output has been read, too. */
export function statusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (SIGNALS[signal ?? ''] ?? 0)));
  });
}
