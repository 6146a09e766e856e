import type { Readable } from 'node:stream';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { enterHost } from './machine.ts';
import type { FileChange } from './types.ts';
import { upperOf } from './upper-of.ts';
import { startTask } from './userns-process.ts';

/**
 * What a container changed in its root file system, running or not: docker's A, C and D, parents before children, sorted by
 * name. Throws NOT_FOUND, USERNS, IO.
 */
export async function diff(engine: Engine, container: string): Promise<FileChange[]> {
  const { record } = await find(engine, container);
  const host = await enterHost(engine);
  const { directory, task } = await upperOf(engine, host, record);
  const what = 'the process that compares files';
  const changes = { ...task, task: 'changes' as const };
  const { child, result } = await startTask<number>(host, changes, { name: 'diff', directory, what });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdio[4] as Readable) chunks.push(chunk as Buffer);
  await result;
  return Buffer.concat(chunks).toString().split('\0').slice(0, -1).map(parseRecord);
}

const parseRecord = (record: string): FileChange => ({
  kind: record.slice(0, 1) as FileChange['kind'],
  path: record.slice(1),
});
