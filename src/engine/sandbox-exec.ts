import { constants } from 'node:os';
import { TsboxError } from '../errors.ts';
import { RLIMIT } from '../plan/flags.ts';
import { type Op, ops } from '../plan/ops.ts';
import { type CommandEnd, inPieces } from '../runtime/serve.ts';
import type { RunningSandbox } from './sandbox-launch.ts';
import type { SandboxExecOptions, SandboxResult } from './sandbox-types.ts';

const MAX_OUTPUT = 16 * 1024 * 1024;

/** Runs one command of a sandbox to its end. Throws USAGE before it is asked for, later what it could not be started for. */
export async function execIn(
  { server, env }: RunningSandbox,
  cwd: string,
  command: readonly string[],
  options: SandboxExecOptions,
): Promise<SandboxResult> {
  const [program, ...rest] = command;
  if (program === undefined)
    throw new TsboxError('USAGE', 'no command given', { hint: "exec(['ls', '-l'])" });
  return perform({ server, env }, options, [
    ops.chdir(absolute(options.cwd ?? cwd), 'the working directory'),
    ...memoryLimit(options.memoryBytes),
    ops.env(merged(env, options.env), "the sandbox's environment, and what the caller adds"),
    ops.exec(program, [program, ...rest], 'the command'),
  ]);
}

/** Walks a plan in a process of the sandbox, with its streams connected. */
export async function perform(
  { server }: RunningSandbox,
  options: SandboxExecOptions,
  plan: readonly Op[],
): Promise<SandboxResult> {
  const { signal, stdin, timeoutMs = 0, maxOutputBytes = MAX_OUTPUT, killBackground = false } = options;
  checkLimits(options);
  if (signal?.aborted) throw aborted(signal);
  const pieces: { 1: Buffer[]; 2: Buffer[] } = { 1: [], 2: [] };
  const told = { 1: options.onStdout, 2: options.onStderr };
  let stop = (): void => {};
  const done = server.run(
    {
      plan,
      timeoutMs,
      maxOutputBytes,
      killBackground,
      input: stdin === undefined ? undefined : inPieces(stdin),
      onOutput: (stream, bytes) => {
        pieces[stream].push(bytes);
        told[stream]?.(bytes);
      },
    },
    send => {
      stop = () => send(0);
    },
  );
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const end = await done;
    if (signal?.aborted) throw aborted(signal);
    return resultOf(end, pieces[1], pieces[2]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function resultOf(end: CommandEnd, stdout: readonly Buffer[], stderr: readonly Buffer[]): SandboxResult {
  return {
    exitCode: end.signal > 0 ? 128 + end.signal : end.exitCode,
    signal: end.signal > 0 ? signalName(end.signal) : undefined,
    stdout: joined(stdout),
    stderr: joined(stderr),
    truncated: end.truncated,
    timedOut: end.timedOut,
    durationMs: end.microseconds / 1000,
    cpuMs: end.cpuMicroseconds / 1000,
    peakMemoryBytes: end.memory * 1024,
  };
}

const joined = (pieces: readonly Buffer[]): Buffer =>
  pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);

const signalName = (number: number): NodeJS.Signals =>
  (Object.entries(constants.signals).find(([, n]) => n === number)?.[0] ?? `SIG${number}`) as NodeJS.Signals;

function absolute(cwd: string): string {
  if (cwd.startsWith('/')) return cwd;
  throw new TsboxError('USAGE', `cwd ${JSON.stringify(cwd)} is not an absolute path`, {
    hint: `cwd: '/${cwd}'`,
  });
}

/** By name, so that what is added replaces. */
function merged(env: readonly string[], added: SandboxExecOptions['env']): string[] {
  if (added === undefined) return [...env];
  const names = new Set(Object.keys(added));
  const wrong = [...names].find(name => name === '' || /[=\0]/.test(name));
  if (wrong !== undefined)
    throw new TsboxError('USAGE', `${JSON.stringify(wrong)} is no name of an environment variable`);
  return [
    ...env.filter(line => !names.has(line.slice(0, line.indexOf('=')))),
    ...Object.entries(added).map(([name, value]) => `${name}=${value}`),
  ];
}

function memoryLimit(bytes: number | undefined): Op[] {
  if (bytes === undefined) return [];
  const most = Math.min(bytes, Number.MAX_SAFE_INTEGER);
  return [ops.rlimit(RLIMIT.data, most, most, 'memoryBytes')];
}

function checkLimits({ timeoutMs, maxOutputBytes, memoryBytes }: SandboxExecOptions): void {
  checkNumber('timeoutMs', timeoutMs);
  if (maxOutputBytes !== Number.POSITIVE_INFINITY) checkNumber('maxOutputBytes', maxOutputBytes);
  checkNumber('memoryBytes', memoryBytes);
  if (memoryBytes !== undefined && !Number.isInteger(memoryBytes))
    throw new TsboxError('USAGE', `memoryBytes ${memoryBytes} is not a whole number`);
}

export function checkNumber(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  throw new TsboxError('USAGE', `${name} ${value} is not a number that is 0 or greater`);
}

const aborted = (signal: AbortSignal): TsboxError =>
  new TsboxError('ABORTED', 'the command was called off', { cause: signal.reason });
