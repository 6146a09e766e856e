import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { waitProcess } from '../runtime/process.ts';
import type { ContainerState } from '../store/container-record.ts';
import { containerDirectory } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { FileChanges } from './file-changes.ts';
import { find, supervisorOf } from './find.ts';
import { Flat } from './flat.ts';
import { logFiles, nextLog, openLog, whileSteady } from './logs-files.ts';
import { type LogRecord, LogSplitter } from './logs-line.ts';
import { tailOffset } from './logs-tail.ts';
import type { LogLine, LogsOptions } from './types.ts';

const BLOCK = 256 * 1024;

/**
 * Docker's logs: what the container wrote, oldest first. `tail` is taken from the end of the log, `since` and `until` choose
 * among that. `follow` goes on, also when the log is put aside, until the container has ended and everything has been read, or `until` has
 * come; it waits on inotify and a pidfd. Throws USAGE for a bad `tail`, NOT_FOUND, IO, ABORTED; BAD_STATE when it keeps no log.
 */
export function logs(
  engine: Engine,
  nameOrId: string,
  options: LogsOptions = {},
): AsyncGenerator<LogLine, void> {
  return new Flat(logBatches(engine, nameOrId, options));
}

/** Many lines at a time: a step of an asynchronous generator for each would cost more than reading them. */
export async function* logBatches(
  engine: Engine,
  nameOrId: string,
  options: LogsOptions,
): AsyncGenerator<LogLine[], void> {
  checkTail(options.tail);
  const { record, state } = await find(engine, nameOrId);
  if (record.log?.driver === 'none') {
    throw new TsboxError('BAD_STATE', `container ${record.name} keeps no log (--log-driver none)`, {
      hint: `see what it writes from now on: tsbox attach --no-stdin ${record.name}`,
      exitCode: 1,
    });
  }
  const path = join(containerDirectory(engine.paths, record.id), 'log');
  // Watching begins before reading does: nothing can be written unseen in between.
  const follow =
    options.follow && state.status === 'running' ? new Follower(path, state, options) : undefined;
  try {
    yield* chosen(readAll(engine, path, options, follow), options);
  } finally {
    follow?.close();
  }
}

function checkTail(tail: LogsOptions['tail']): void {
  if (tail === undefined || tail === 'all' || (Number.isSafeInteger(tail) && tail >= 0)) return;
  throw new TsboxError('USAGE', `invalid number of lines: ${tail}`, { hint: '--tail takes a number or all' });
}

interface Beginning {
  readonly file: FileHandle;
  readonly offset: number;
  close(): Promise<void>;
}

/** Where reading begins: with the oldest file, or so many lines before the end. Undefined: there is no log. */
async function begin(path: string, { tail = 'all' }: LogsOptions): Promise<Beginning | undefined> {
  let found: Beginning | undefined;
  let left = tail === 'all' ? Number.POSITIVE_INFINITY : tail;
  for (const name of logFiles(path)) {
    const file = await openLog(name);
    if (!file) continue;
    await found?.close();
    const { offset, lines } = await tailOffset(file, (await file.stat()).size, left, {
      goesOn: found !== undefined,
    });
    found = { file, offset, close: () => file.close() };
    left -= lines;
    if (offset > 0 || left <= 0) break;
  }
  return found;
}

/** Every record from an offset on; with a follower, until it says that there will be no more. */
async function* readAll(
  engine: Engine,
  path: string,
  options: LogsOptions,
  follow: Follower | undefined,
): AsyncGenerator<LogRecord[]> {
  const first = await whileSteady(path, () => begin(path, options));
  if (!first) return;
  const splitter = new LogSplitter();
  let { file, offset } = first;
  try {
    for (;;) {
      // Asked before reading: what was written before the end is then read for certain.
      const ended = follow?.ended ?? true;
      for (;;) {
        if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'reading the log was cancelled');
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(BLOCK), 0, BLOCK, offset);
        if (bytesRead === 0) break;
        offset += bytesRead;
        yield splitter.push(buffer.subarray(0, bytesRead));
      }
      const next = await nextLog(path, file);
      if (next && (await file.stat()).size === offset) {
        await file.close();
        [file, offset] = [next, 0];
      } else if (next) await next.close();
      else if (ended || !follow) return;
      else await follow.next(engine.signal);
    }
  } finally {
    await file.close();
  }
}

async function* chosen(
  batches: AsyncGenerator<LogRecord[]>,
  { since, until }: LogsOptions,
): AsyncGenerator<LogLine[]> {
  for await (const batch of batches) {
    const late = until === undefined ? -1 : batch.findIndex(record => record.time > until);
    const early = late < 0 ? batch : batch.slice(0, late);
    const wanted = since === undefined ? early : early.filter(record => record.time >= since);
    yield wanted.map(record => record.line);
    if (late >= 0) return;
  }
}

/** What `-f` waits for: the file grows or is put aside, the supervisor ends, or `until` comes. */
class Follower {
  /** No more will be written (that anybody wants). */
  ended = false;
  readonly #changes: FileChanges;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(path: string, state: ContainerState, { until }: LogsOptions) {
    this.#changes = new FileChanges(dirname(path), 'log');
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
