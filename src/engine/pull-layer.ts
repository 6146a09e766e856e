import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { TsboxError } from '../errors.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import { downloadBlob } from '../registry/download.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { Engine } from './context.ts';
import type { LayerProgress } from './pull-progress.ts';
import { beginLayer, type LayerSink } from './unpack.ts';

/** A layer and what of it is here already. */
export interface LayerJob {
  readonly descriptor: Descriptor;
  readonly diffId: string;
  readonly hasBlob: boolean;
  readonly hasTree: boolean;
  readonly progress: LayerProgress;
}

export interface LayerContext {
  readonly engine: Engine;
  readonly client: RegistryClient;
  readonly blobs: BlobStore;
}

/** Where compressed bytes go on their way: what checks and keeps them, and what unpacks them. */
interface Receiver {
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  commit(): Promise<unknown>;
  abort(): Promise<void>;
}

/**
 * Brings one layer: downloads what is missing, unpacking while it arrives, or unpacks a blob that is here. On failure
 * nothing of it stays. Throws DIGEST, LAYER, REGISTRY, NO_SPACE, ABORTED.
 */
export async function bringLayer(context: LayerContext, job: LayerJob): Promise<void> {
  if (job.hasTree && (job.hasBlob || !context.engine.config.images.keepBlobs))
    return job.progress.say('Already exists');
  // Not awaited: the process that unpacks starts while the registry answers.
  const sink = job.hasTree ? Promise.resolve(undefined) : begin(context, job);
  try {
    if (job.hasBlob) await unpackBlob(context, job, await sink);
    else await download(context, job, sink);
  } catch (error) {
    await (await sink.catch(() => undefined))?.abort();
    throw error;
  }
  job.progress.say('Pull complete');
}

function begin(
  { engine }: LayerContext,
  { descriptor: { mediaType }, diffId }: LayerJob,
): Promise<LayerSink> {
  const sink = beginLayer(engine, { mediaType, diffId });
  // It may fail before anybody waits for it.
  sink.catch(() => {});
  return sink;
}

async function unpackBlob(
  { blobs, engine }: LayerContext,
  job: LayerJob,
  sink: LayerSink | undefined,
): Promise<void> {
  const { digest, size } = job.descriptor;
  let fed = 0;
  for await (const chunk of createReadStream(blobs.path(digest), { highWaterMark: 1 << 20 })) {
    if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: engine.signal.reason });
    await sink?.write(chunk as Buffer);
    fed += (chunk as Buffer).length;
    job.progress.count('Extracting', fed, size);
  }
  await sink?.end();
}

async function download(
  { client, blobs, engine }: LayerContext,
  job: LayerJob,
  sink: Promise<LayerSink | undefined>,
): Promise<void> {
  const { digest, size } = job.descriptor;
  const blob = engine.config.images.keepBlobs
    ? await blobs.writer({ digest, size })
    : new Checker(digest, size);
  try {
    await downloadBlob(client, { digest, size }, tee(blob, sink, job), {
      onWait: ({ ms }) => job.progress.say(`Retrying in ${Math.ceil(ms / 1000)} seconds`),
    });
    job.progress.say('Download complete');
    // A tree gets its name only when its own digest is right, so it need not wait for the blob's to be checked and synced.
    const ends = await Promise.allSettled([blob.commit(), finish(job, sink)]);
    const failed = ends.find(end => end.status === 'rejected');
    if (failed) throw failed.reason;
  } finally {
    await blob.abort();
  }
}

async function finish(job: LayerJob, sink: Promise<LayerSink | undefined>): Promise<void> {
  const open = await sink;
  if (open === undefined) return;
  job.progress.say('Extracting');
  await open.end();
}

function tee(blob: Receiver, sink: Promise<LayerSink | undefined>, job: LayerJob) {
  return {
    get offset() {
      return blob.offset;
    },
    async write(chunk: Buffer): Promise<void> {
      await Promise.all([blob.write(chunk), sink.then(open => open?.write(chunk))]);
      job.progress.count('Downloading', blob.offset, job.descriptor.size);
    },
  };
}

/** In place of a blob's file where blobs are not kept: the same checks, nothing stored. */
class Checker implements Receiver {
  readonly #hash = createHash('sha256');
  readonly #digest: string;
  readonly #size: number;
  #offset = 0;

  constructor(digest: string, size: number) {
    this.#digest = digest;
    this.#size = size;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#offset += chunk.length;
    if (this.#offset > this.#size) throw this.#wrong(`is longer than the ${this.#size} bytes announced`);
    this.#hash.update(chunk);
  }

  async commit(): Promise<void> {
    const digest = `sha256:${this.#hash.digest('hex')}`;
    if (digest !== this.#digest) throw this.#wrong(`is ${digest}`);
  }

  async abort(): Promise<void> {}

  #wrong(what: string): TsboxError {
    return new TsboxError('DIGEST', `content of ${this.#digest} ${what}`);
  }
}
