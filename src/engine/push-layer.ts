import { TsboxError } from '../errors.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { DOCKER_LAYER, DOCKER_LAYER_GZIP, layerCompression, OCI_LAYER_GZIP } from '../oci/media-types.ts';
import type { RegistryClient } from '../registry/client.ts';
import { hasBlob, mountBlob, uploadBlob } from '../registry/upload.ts';
import type { BlobContent } from '../registry/upload-steps.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { Engine } from './context.ts';
import type { LayerProgress } from './pull-progress.ts';
import { CompressedLayer, storedBlob } from './push-content.ts';
import type { PushedLayer } from './push-memory.ts';
import { packedLayer } from './push-pack.ts';

/** A layer of an image that is pushed. */
export interface PushJob {
  readonly descriptor: Descriptor;
  readonly diffId: string;
  /** It goes as it is; false: it was made here and is compressed on its way. */
  readonly asIs: boolean;
  /** What it became when it was pushed before. */
  readonly before: PushedLayer | undefined;
  /** Repositories of the registry that may have it. */
  readonly mountFrom: readonly string[];
  /** The repository itself should have it. */
  readonly expected: boolean;
  readonly progress: LayerProgress;
}

export interface PushContext {
  readonly engine: Engine;
  readonly client: RegistryClient;
  readonly blobs: BlobStore;
  readonly chunkSize: number | undefined;
}

/** What the registry has now in place of a layer. */
export interface PushedAs {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

/** Brings one layer to the registry, unless it has it. Throws REGISTRY, UNAUTHORIZED, NOT_FOUND, ABORTED. */
export async function pushLayer(context: PushContext, job: PushJob): Promise<PushedAs> {
  const { descriptor, diffId, before } = job;
  const candidate = job.asIs ? descriptor : before && { ...descriptor, ...plain(before) };
  if (candidate !== undefined && (await isThere(context, job, candidate.digest))) {
    return { descriptor: candidate, diffId };
  }
  const stored = await context.blobs.has(descriptor.digest);
  if (job.asIs && stored) {
    await send(context, job, storedBlob(context.blobs.path(descriptor.digest), descriptor), descriptor.size);
    return { descriptor, diffId };
  }
  return compress(context, job, stored && layerCompression(descriptor.mediaType) === 'none');
}

const plain = ({ mediaType, digest, size }: PushedLayer) => ({ mediaType, digest, size });

/** A repository that we know nothing of is asked to mount first: mostly that is one question instead of two. */
async function isThere(context: PushContext, job: PushJob, digest: string): Promise<boolean> {
  if (job.expected && (await exists(context, job, digest))) return true;
  const from = await mountBlob(context.client, digest, job.mountFrom);
  if (from !== undefined) job.progress.say(`Mounted from ${from}`);
  return from !== undefined || (!job.expected && (await exists(context, job, digest)));
}

async function exists({ client }: PushContext, job: PushJob, digest: string): Promise<boolean> {
  const there = await hasBlob(client, digest);
  if (there) job.progress.say('Layer already exists');
  return there;
}

async function send(
  { client, chunkSize }: PushContext,
  job: PushJob,
  content: BlobContent,
  total: number | undefined,
) {
  const sent = await uploadBlob(client, content, {
    chunkSize,
    onBytes: bytes => total !== undefined && job.progress.count('Pushing', bytes, total),
    onWait: ({ ms }) => job.progress.say(`Retrying in ${Math.ceil(ms / 1000)} seconds`),
  });
  job.progress.say('Pushed');
  return sent;
}

/** Uploads the layer as gzip: its uncompressed blob, or the unpacked tree where the blob was dropped. */
async function compress(context: PushContext, job: PushJob, stored: boolean): Promise<PushedAs> {
  const { descriptor, diffId, progress } = job;
  const from = stored
    ? storedBlob(context.blobs.path(descriptor.digest), descriptor).open
    : () => packedLayer(context.engine, diffId);
  const total = stored ? descriptor.size : undefined;
  const content = new CompressedLayer(from, done => {
    progress.count('Pushing', done, total ?? Number.POSITIVE_INFINITY);
  });
  await send(context, job, content, undefined);
  const made = content.describe();
  if (stored && made.diffId !== diffId) throw damaged(diffId);
  const mediaType = descriptor.mediaType.startsWith(DOCKER_LAYER) ? DOCKER_LAYER_GZIP : OCI_LAYER_GZIP;
  const { digest, size } = made;
  return { descriptor: { ...descriptor, mediaType, digest, size }, diffId: made.diffId };
}

function damaged(diffId: string): TsboxError {
  return new TsboxError('STORE_CORRUPT', `the blob of layer ${diffId} does not match its digest`, {
    hint: 'remove the image (tsbox rmi) and pull, load or build it again',
  });
}
