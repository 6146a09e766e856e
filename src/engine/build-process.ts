import { type FileHandle, open } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { selfCommand } from '../host/self.ts';
import type { BuildTask } from '../layer/build-tasks.ts';
import { ops } from '../plan/ops.ts';
import { type EnterHost, enter } from '../runtime/enter.ts';
import { repliesOf } from './build-replies.ts';

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
    const said = (): string => Buffer.concat(noise).toString().trim().slice(-MAX_NOISE);
    const replies = output === undefined ? child.stdout : data;
    return {
      data,
      reply: repliesOf({ replies, gone, noise: said, signal }),
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
