import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TsboxError } from '../errors.ts';
import { READ_ONLY } from '../layer/copy-error.ts';
import { insidePath } from '../layer/copy-rules.ts';
import type { CopyFound } from '../layer/copy-tasks.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { recordContainerEvent } from '../store/containers-events.ts';
import { openView } from './container-view.ts';
import type { ContainerView } from './container-view-process.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import type { CopyOptions, CopyResult } from './types.ts';

/**
 * docker's cp out of a container, which may run or not. `destination`: a path of the host, or a stream that gets a tar archive.
 * Throws NOT_FOUND, USAGE or CONFLICT for what docker's rules refuse, IO.
 */
export async function copyOut(
  engine: Engine,
  nameOrId: string,
  path: string,
  destination: string | NodeJS.WritableStream,
  options: CopyOptions,
): Promise<CopyResult> {
  const { record } = await find(engine, nameOrId);
  const host = typeof destination === 'string' ? await hostTarget(destination) : undefined;
  const task = {
    task: 'copy-out',
    path: bytesOf(insidePath(path)),
    followLink: options.followLink ?? false,
  } as const;
  const view = await openView(engine, { record }, task);
  view.data.end();
  const counted = new Counted(view.data);
  try {
    const found = await view.found;
    if (typeof destination !== 'string') await pipeline(counted.pieces(), destination, { end: false });
    else await host?.extract(found, counted.pieces(), options.archive ?? false);
    await view.done;
  } catch (error) {
    throw await reason(view, error, record);
  }
  recordContainerEvent(engine.paths, record, 'archive-path');
  return { bytes: counted.bytes, path: host?.path ?? '-' };
}

async function hostTarget(destination: string) {
  const { checkDestination, extractTo } = await import('./copy-host.ts');
  const target = checkDestination(destination);
  return {
    path: target.path,
    extract: (found: CopyFound, pieces: AsyncIterable<Buffer>, keepOwners: boolean) =>
      extractTo(target, found, pieces, keepOwners),
  };
}

/** docker's cp into a container. `source`: a path of the host, or a stream with a tar archive. Throws as copyOut. */
export async function copyIn(
  engine: Engine,
  source: string | NodeJS.ReadableStream,
  nameOrId: string,
  path: string,
  options: CopyOptions,
): Promise<CopyResult> {
  const { record } = await find(engine, nameOrId);
  const host = typeof source === 'string' ? await hostSource(source, options.followLink ?? false) : undefined;
  const inside = insidePath(path);
  const view = await openView(
    engine,
    { record },
    {
      task: 'copy-in',
      path: bytesOf(inside),
      ...(host && { source: host.found }),
      keepOwners: host === undefined || (options.archive ?? false),
    },
  );
  view.data.resume();
  const counted = new Counted(host?.pieces ?? archiveFrom(source as NodeJS.ReadableStream));
  try {
    await send(counted.pieces(), view);
    await view.done;
  } catch (error) {
    throw await reason(view, error, record);
  }
  recordContainerEvent(engine.paths, record, 'extract-to-dir');
  return { bytes: counted.bytes, path: inside };
}

async function hostSource(source: string, followLink: boolean) {
  const { openSource } = await import('./copy-host.ts');
  return openSource(source, followLink);
}

/** Plain, gzip, zstd; xz and bzip2 where the machine has a program for them: never one of the container (CVE-2019-14271). */
async function* archiveFrom(source: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  const { decompress } = await import('../layer/decompress.ts');
  const { inflateForeign } = await import('./foreign-compression.ts');
  yield* decompress(new Counted(source).pieces(), undefined, inflateForeign);
}

/** Until the archive ends, or whoever reads it has (and says why by `done`): a silent stdin keeps nobody waiting then. */
async function send(pieces: AsyncIterable<Buffer>, { data }: ContainerView): Promise<void> {
  const over = first(data, 'end', 'close');
  const source = pieces[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([source.next(), over]);
    if (next === undefined || next.done || !data.writable) break;
    // The piece is valid until the next one is asked for.
    if (!data.write(Buffer.from(next.value))) await first(data, 'drain', 'end', 'close');
  }
  data.end();
}

/** Resolves with the first of these events. */
function first(stream: Duplex, ...names: string[]): Promise<undefined> {
  return new Promise(resolve => {
    const done = (): void => {
      for (const name of names) stream.off(name, done);
      resolve(undefined);
    };
    for (const name of names) stream.on(name, done);
    if (stream.destroyed || stream.readableEnded) done();
  });
}

/** Passes an archive on and counts it. */
class Counted {
  bytes = 0;
  readonly #source: AsyncIterable<Buffer | string> | Iterable<Buffer>;

  constructor(source: AsyncIterable<Buffer | string> | Iterable<Buffer>) {
    this.#source = source;
  }

  async *pieces(): AsyncGenerator<Buffer> {
    for await (const piece of this.#source) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      this.bytes += bytes.length;
      yield bytes;
    }
  }
}

/** Where the archive has ended too early, the process in the container knows why. */
async function reason(view: ContainerView, error: unknown, record: ContainerRecord): Promise<unknown> {
  const said = view.data.readableEnded ? await failureOf(view) : undefined;
  await view.stop();
  const why = said ?? error;
  if (why instanceof TsboxError && why.message.endsWith(READ_ONLY)) return readOnly(why, record);
  return why;
}

const failureOf = (view: ContainerView): Promise<unknown> =>
  view.done.then(
    () => undefined,
    (error: unknown) => error,
  );

/** docker's words, which tell a volume from the root. */
function readOnly(error: TsboxError, record: ContainerRecord): TsboxError {
  const volume = !record.readOnly && record.mounts.some(m => m.readOnly);
  const what = volume ? 'mounted volume is marked read-only' : 'container rootfs is marked read-only';
  return new TsboxError('BAD_STATE', what, { cause: error, exitCode: 1 });
}

/** Text of the command line as the kernel has it. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
