import { type FileHandle, open } from 'node:fs/promises';
import { hasErrno, TsboxError } from '../errors.ts';
import { ioError } from '../store/atomic.ts';
import { EVENTS_FILE, type EventRecord, eventsPath, oldEventsPath, parseEvent } from '../store/events.ts';
import type { Engine } from './context.ts';
import { compileEventFilters } from './events-filters.ts';
import { FileChanges } from './file-changes.ts';
import type { EventsOptions } from './types.ts';

const BLOCK = 64 * 1024;

/**
 * Docker's events: what has happened since `since` (default: from now on), then what happens, until `until` has come. Waits on inotify.
 * Throws USAGE for an unknown filter, IO, ABORTED.
 */
export async function* events(engine: Engine, options: EventsOptions = {}): AsyncGenerator<EventRecord> {
  const matches = compileEventFilters(options.filters ?? {});
  const { since = Date.now(), until = Number.POSITIVE_INFINITY } = options;
  for await (const event of allEvents(engine, options)) {
    const time = Date.parse(event.time);
    if (time > until) return;
    if (time >= since && matches(event)) yield event;
  }
}

/** Every event there is, the old file's first, then those to come. */
async function* allEvents(engine: Engine, { since, until }: EventsOptions): AsyncGenerator<EventRecord> {
  // Watching begins before reading does: nothing can be written unseen in between.
  const changes = new FileChanges(engine.paths.root, EVENTS_FILE);
  const wake = (): void => changes.notify();
  engine.signal?.addEventListener('abort', wake, { once: true });
  const left = until === undefined ? undefined : until - Date.now();
  // Node takes a longer delay for none at all.
  const timer = left === undefined ? undefined : setTimeout(wake, Math.min(Math.max(0, left), 2 ** 31 - 1));
  try {
    if (since !== undefined) yield* wholeFile(oldEventsPath(engine.paths));
    yield* follow(engine, changes, until ?? Number.POSITIVE_INFINITY);
  } finally {
    clearTimeout(timer);
    engine.signal?.removeEventListener('abort', wake);
    changes.close();
  }
}

async function* wholeFile(path: string): AsyncGenerator<EventRecord> {
  const file = await openMaybe(path);
  if (!file) return;
  try {
    yield* new Tail(file).read();
  } finally {
    await file.close();
  }
}

async function* follow(engine: Engine, changes: FileChanges, until: number): AsyncGenerator<EventRecord> {
  const path = eventsPath(engine.paths);
  let file = await openMaybe(path);
  let tail = file && new Tail(file);
  try {
    for (;;) {
      const over = Date.now() >= until;
      if (tail) yield* tail.read();
      const next = await replaced(path, file);
      if (next) {
        // Put aside between the read and the look: the rest of the old file comes first.
        if (tail) yield* tail.read();
        await file?.close();
        file = next;
        tail = new Tail(next);
        continue;
      }
      if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'waiting for events was cancelled');
      if (over) return;
      await changes.next();
    }
  } finally {
    await file?.close();
  }
}

/** The file that has the name now, if it is another one than `file`. */
async function replaced(path: string, file: FileHandle | undefined): Promise<FileHandle | undefined> {
  const now = await openMaybe(path);
  if (!now || !file) return now;
  const [a, b] = await Promise.all([now.stat(), file.stat()]);
  if (a.ino !== b.ino) return now;
  await now.close();
  return undefined;
}

async function openMaybe(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw ioError(error, `cannot read ${path}`);
  });
}

/** Reads what has been appended since the last time. */
class Tail {
  readonly #file: FileHandle;
  #at = 0;
  #rest = '';

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async *read(): AsyncGenerator<EventRecord> {
    const buffer = Buffer.allocUnsafe(BLOCK);
    for (;;) {
      const { bytesRead } = await this.#file.read(buffer, 0, BLOCK, this.#at);
      if (bytesRead === 0) return;
      this.#at += bytesRead;
      // latin1 here, so that a character that is cut in two survives until its line is whole.
      const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = parseEvent(Buffer.from(line, 'latin1').toString('utf8'));
        if (event) yield event;
      }
    }
  }
}
