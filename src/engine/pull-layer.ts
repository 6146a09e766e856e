import { createReadStream } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { shortDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import { downloadBlob } from '../registry/download.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { Engine } from './context.ts';
import type { LayerProgress } from './pull-progress.ts';
import { receiverFor, Tee } from './pull-tee.ts';
import { beginLayer, hasLayer, type LayerSink } from './unpack.ts';

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

/**
 * Brings one layer: downloads what is missing, unpacking while it arrives, or unpacks a blob that is here. On failure
 * nothing of it stays. Throws DIGEST, LAYER, REGISTRY, NO_SPACE, ABORTED.
 */
export async function bringLayer(context: LayerContext, job: LayerJob): Promise<void> {
  if (isComplete(context, job)) return job.progress.say('Already exists');
  const onWait = (): void => job.progress.say('Waiting');
  const options = { signal: context.engine.signal, onWait };
  await context.blobs.claimed(job.descriptor.digest, options, async () => {
    // Another command may have brought it since we planned.
    const hasBlob = job.hasBlob || (await context.blobs.has(job.descriptor.digest));
    const hasTree = job.hasTree || (await hasLayer(context.engine, job.diffId));
    await bringMissing(context, { ...job, hasBlob, hasTree });
  });
  job.progress.say('Pull complete');
}

const isComplete = ({ engine }: LayerContext, job: LayerJob): boolean =>
  job.hasTree && (job.hasBlob || !engine.config.images.keepBlobs);

async function bringMissing(context: LayerContext, job: LayerJob): Promise<void> {
  if (isComplete(context, job)) return;
  // Not awaited: the process that unpacks starts while the registry answers.
  const sink = job.hasTree ? Promise.resolve(undefined) : begin(context, job);
  try {
    if (job.hasBlob) await unpackBlob(context, job, await sink);
    else await download(context, job, sink);
  } catch (error) {
    await (await sink.catch(() => undefined))?.abort();
    throw named(error, job);
  }
}

function begin({ engine }: LayerContext, { descriptor, diffId }: LayerJob): Promise<LayerSink> {
  const sink = beginLayer(engine, { mediaType: descriptor.mediaType, diffId });
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
  context: LayerContext,
  job: LayerJob,
  sink: Promise<LayerSink | undefined>,
): Promise<void> {
  const { client, blobs, engine } = context;
  const { descriptor, progress } = job;
  const blob = await receiverFor(blobs, descriptor, engine.config.images.keepBlobs);
  const tee = new Tee(blob, descriptor.size, sink, offset =>
    progress.count('Downloading', offset, descriptor.size),
  );
  try {
    await downloadBlob(client, descriptor, tee, {
      onWait: ({ ms }) => progress.say(`Retrying in ${Math.ceil(ms / 1000)} seconds`),
    });
    progress.say('Download complete');
    if (!job.hasTree) progress.say('Extracting');
    await tee.finish();
  } finally {
    await blob.abort();
  }
}

/** What is wrong with an archive is said with the name of its layer. */
function named(error: unknown, job: LayerJob): unknown {
  if (!(error instanceof TsboxError) || error.code !== 'LAYER') return error;
  const { message, hint } = error;
  const text = `layer ${shortDigest(job.descriptor.digest)}: ${message}`;
  return new TsboxError('LAYER', text, { cause: error, ...(hint !== undefined && { hint }) });
}
