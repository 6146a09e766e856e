import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { messageOf, TsboxError } from '../errors.ts';
import { selfCommand } from '../host/self.ts';
import type { Task, TaskReply } from '../layer/tasks.ts';
import { ops } from '../plan/ops.ts';
import { type EnterHost, type EnterProcess, enter } from '../runtime/enter.ts';
import { bytesOf } from '../util/lines.ts';

/** A process that does one task of src/userns/main.ts where the ids of the store's files exist. */
export interface UsernsProcess<T> {
  readonly child: EnterProcess['child'];
  /** Its reply, or why there is none. May fail before anybody asks. */
  readonly result: Promise<T>;
}

/** Errors of a process that died without a word are cut to this many characters of what it printed. */
const MAX_NOISE = 2000;

export interface UsernsOptions {
  /** Shown by ps. */
  readonly name: string;
  /** Its descriptor 0: a path, or an open directory, which stays the caller's. */
  readonly directory: string | number;
  /** Its descriptor 1, where the task writes to one (`commit`): the reply comes through descriptor 4 then. Default: 1 is the reply. */
  readonly output?: number;
  /** For messages: `the process that unpacks layers`. */
  readonly what: string;
}

/** Starts it; its descriptor 4 is `child.stdio[4]`. Throws USERNS, HOST, IO. */
export async function startTask<T>(
  host: EnterHost,
  task: Task,
  { name, directory, output, what }: UsernsOptions,
): Promise<UsernsProcess<T>> {
  const [program = '', ...argv] = selfCommand('userns');
  const plan = [
    ops.env(['PATH=/usr/bin:/bin', 'LC_ALL=C'], 'nothing of the caller is needed for the task'),
    ops.exec(
      program,
      [program, ...argv, JSON.stringify(task)],
      'tsbox itself, where the ids of the layer exist',
    ),
  ];
  const opened: FileHandle | undefined =
    typeof directory === 'string' ? await open(directory, 'r') : undefined;
  try {
    const fd = opened?.fd ?? Number(directory);
    const process = enter(host, plan, { name, stdio: [fd, output ?? 'pipe', 'pipe'], pipes: 1 });
    const { child } = process;
    return follow(process, output === undefined ? child.stdout : (child.stdio[4] as Readable), what);
  } finally {
    await opened?.close();
  }
}

/** The reply is read to its end: a process can be gone before. */
export function follow<T>(
  { child, result }: EnterProcess,
  replies: Readable | null,
  what: string,
): UsernsProcess<T> {
  const said = bytesOf(replies);
  const noise = bytesOf(child.stderr);
  const reply = result.then(async status =>
    readReply<T>(what, String(await said), String(await noise), status),
  );
  reply.catch(() => {});
  return { child, result: reply };
}

function readReply<T>(what: string, said: string, noise: string, status: number): T {
  const reply = parseReply<T>(what, said);
  if (reply && 'ok' in reply) return reply.ok;
  if (reply) throw new TsboxError(reply.error.code, reply.error.message, reply.error);
  const detail = noise.trim().slice(-MAX_NOISE);
  throw new TsboxError('INTERNAL', `${what} ended with status ${status}${detail && `: ${detail}`}`);
}

function parseReply<T>(what: string, line: string): TaskReply<T> | undefined {
  try {
    return JSON.parse(line) as TaskReply<T>;
  } catch (error) {
    if (line === '') return undefined;
    throw new TsboxError('INTERNAL', `malformed reply of ${what}: ${messageOf(error)}`);
  }
}
