import { type FileHandle, open } from 'node:fs/promises';
import type { Duplex, Readable } from 'node:stream';
import { TsboxError } from '../errors.ts';
import { selfCommand } from '../host/self.ts';
import type { BuildReply, BuildTask } from '../layer/build-tasks.ts';
import { ops } from '../plan/ops.ts';
import { type EnterHost, enter } from '../runtime/enter.ts';

export interface BuildProcessOptions {
  /** Its descriptor 0. */
  readonly directory: string;
  /** Its descriptor 1, a file; the replies come through descriptor 4 then. */
  readonly output?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A process that does a task of a build where the ids of the store's files exist (src/userns/build.ts). */
export interface BuildProcess {
  readonly data: Duplex;
  /** The next reply. Throws what the task did. */
  reply<T>(): Promise<T>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

const MAX_NOISE = 2000;

/** Throws USERNS, HOST, IO. */
export async function startBuildTask(
  host: EnterHost,
  task: BuildTask,
  { directory, output, signal }: BuildProcessOptions,
): Promise<BuildProcess> {
  const [program = '', ...argv] = selfCommand('userns');
  const plan = [
    ops.env(['PATH=/usr/bin:/bin', 'LC_ALL=C'], 'nothing of the caller is needed for the task'),
    ops.exec(
      program,
      [program, ...argv, JSON.stringify(task)],
      'tsbox itself, where the ids of layers exist',
    ),
  ];
  const opened: FileHandle = await open(directory, 'r');
  try {
    const stdio = [opened.fd, output ?? 'pipe', 'pipe'] as const;
    const { child, result } = enter(host, plan, { name: 'build', stdio, pipes: 1 });
    const data = child.stdio[4] as Duplex;
    data.on('error', () => {});
    const noise: Buffer[] = [];
    child.stderr?.on('data', (chunk: Buffer) => noise.push(chunk));
    const kill = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', kill, { once: true });
    const gone = result.finally(() => signal?.removeEventListener('abort', kill));
    gone.catch(() => {});
    const lines = linesOf(output === undefined ? child.stdout : data);
    return {
      data,
      reply: <T>() => nextReply<T>(lines, gone, noise, signal),
      stop: async () => {
        data.destroy();
        child.kill('SIGKILL');
        await gone.catch(() => {});
      },
    };
  } finally {
    await opened.close();
  }
}

type Lines = () => Promise<string | undefined>;

function linesOf(stream: Readable | null): Lines {
  const ready: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let rest = '';
  let ended = stream === null;
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const next = waiting.shift();
      if (next) next(line);
      else ready.push(line);
    }
  });
  stream?.once('close', () => {
    ended = true;
    for (const next of waiting.splice(0)) next(undefined);
  });
  return () => {
    if (ready.length > 0 || ended) return Promise.resolve(ready.shift());
    return new Promise(resolve => waiting.push(resolve));
  };
}

async function nextReply<T>(
  lines: Lines,
  gone: Promise<number>,
  noise: readonly Buffer[],
  signal: AbortSignal | undefined,
): Promise<T> {
  const line = await Promise.race([lines(), gone.then(() => lines())]);
  if (signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: signal.reason });
  if (line !== undefined) {
    const reply = JSON.parse(line) as BuildReply<T>;
    if ('ok' in reply) return reply.ok;
    throw new TsboxError(reply.error.code, reply.error.message, reply.error);
  }
  const status = await gone;
  const said = Buffer.concat([...noise])
    .toString()
    .trim()
    .slice(-MAX_NOISE);
  throw new TsboxError(
    'INTERNAL',
    `the process of a build ended with status ${status}${said && `: ${said}`}`,
  );
}
