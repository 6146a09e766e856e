import type { Readable } from 'node:stream';
import type { PackResult } from '../layer/pack.ts';
import type { PackTask } from '../layer/tasks.ts';
import type { EnterHost } from '../runtime/enter.ts';
import { startTask } from './userns-process.ts';

/** The process that packs one directory of the store (src/userns/pack.ts): the counterpart of unpack-process.ts. */
export interface PackProcess {
  /** The archive. It also ends when the process fails: what was read is good only once `done` has resolved. */
  readonly stream: Readable;
  /** Rejects with LAYER, IO or what ended the process. May be asked for late. */
  readonly done: Promise<PackResult>;
  /** Ends it and waits until it is gone. After it has ended: nothing to do. */
  stop(): Promise<void>;
}

export type PackRequest = Omit<PackTask, 'task' | 'mode'>;

/**
 * Packs `directory`, a path or an open directory (a descriptor, which stays the caller's). The defaults of the request
 * are those for a layer or an upper directory. Throws USERNS, HOST, IO.
 */
export async function startPack(
  host: EnterHost,
  directory: string | number,
  request: PackRequest = {},
): Promise<PackProcess> {
  const task: PackTask = { ...request, task: 'pack', mode: host.maps.mode };
  const what = 'the process that packs layers';
  const { child, result } = await startTask<PackResult>(host, task, { name: 'pack', directory, what });
  const stream = child.stdio[4] as Readable;
  // When the process is killed the pipe may break; why it ended is in its reply.
  stream.on('error', () => {});
  const stop = async (): Promise<void> => {
    stream.destroy();
    child.kill('SIGKILL');
    await result.catch(() => {});
  };
  return { stream, done: result, stop };
}
