import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { waitProcess } from '../runtime/process.ts';
import { ioError } from '../store/atomic.ts';
import type { ContainerState } from '../store/container-record.ts';
import { containerDirectory } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { FileChanges } from './file-changes.ts';
import { find, supervisorOf } from './find.ts';
import { type LogRecord, LogSplitter } from './logs-line.ts';
import { tailOffset } from './logs-tail.ts';
import type { LogLine, LogsOptions } from './types.ts';

const BLOCK = 64 * 1024;

/**
 * Docker's logs: what the container wrote, oldest first. `tail` is taken from the end of the log, `since` and `until` choose
 * among that. `follow` goes on until the container has ended and everything has been read, or `until` has come; it waits on
 * inotify and a pidfd. Throws USAGE for a bad `tail`, NOT_FOUND, IO, ABORTED.
 */
export async function* logs(
  engine: Engine,
  nameOrId: string,
  options: LogsOptions = {},
): AsyncGenerator<LogLine> {
  checkTail(options.tail);
  const { record, state } = await find(engine, nameOrId);
  const path = join(containerDirectory(engine.paths, record.id), 'log');
  const file = await openLog(path);
  if (!file) return;
  // Watching begins before reading does: nothing can be written unseen in between.
  const follow =
    options.follow && state.status === 'running' ? new Follower(path, state, options) : undefined;
  try {
    yield* chosen(readAll(engine, file, await begin(file, options), follow), options);
  } finally {
    follow?.close();
    await file.close();
  }
}

function checkTail(tail: LogsOptions['tail']): void {
  if (tail === undefined || tail === 'all' || (Number.isSafeInteger(tail) && tail >= 0)) return;
  throw new TsboxError('USAGE', `invalid number of lines: ${tail}`, { hint: '--tail takes a number or all' });
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: unknown) => {
    // Never started.
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw ioError(error, `cannot read ${path}`);
  });
}

async function begin(file: FileHandle, { tail = 'all' }: LogsOptions): Promise<number> {
  return tail === 'all' ? 0 : tailOffset(file, (await file.stat()).size, tail);
}

/** Every record from an offset on; with a follower, until it says that there will be no more. */
async function* readAll(
  engine: Engine,
  file: FileHandle,
  offset: number,
  follow: Follower | undefined,
): AsyncGenerator<LogRecord> {
  const buffer = Buffer.allocUnsafe(BLOCK);
  const splitter = new LogSplitter();
  for (let at = offset; ; ) {
    // Asked before reading: what was written before the end is then read for certain.
    const ended = follow?.ended ?? true;
    for (let bytesRead = -1; bytesRead !== 0; at += bytesRead) {
      if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'reading the log was cancelled');
      ({ bytesRead } = await file.read(buffer, 0, BLOCK, at));
      yield* splitter.push(buffer.subarray(0, bytesRead));
    }
    if (ended || !follow) return;
    await follow.next(engine.signal);
  }
}

async function* chosen(
  records: AsyncGenerator<LogRecord>,
  { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY }: LogsOptions,
): AsyncGenerator<LogLine> {
  for await (const record of records) {
    if (record.time > until) return;
    if (record.time >= since) yield record.line;
  }
}

/** What `-f` waits for: the file grows, the supervisor ends, or `until` comes. */
class Follower {
  /** No more will be written (that anybody wants). */
  ended = false;
  readonly #changes: FileChanges;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(path: string, state: ContainerState, { until }: LogsOptions) {
    this.#changes = new FileChanges(path);
    const end = () => {
      this.ended = true;
      this.#changes.notify();
    };
    waitProcess(helperPath(), supervisorOf(state), undefined, this.#stop.signal).then(end, end);
    // Node takes a longer delay for none at all; in 24 days nobody waits any more.
    if (until !== undefined) this.#timer = setTimeout(end, Math.min(until - Date.now(), 2 ** 31 - 1));
  }

  async next(signal: AbortSignal | undefined): Promise<void> {
    const wake = () => this.#changes.notify();
    signal?.addEventListener('abort', wake, { once: true });
    await this.#changes.next();
    signal?.removeEventListener('abort', wake);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#changes.close();
  }
}
