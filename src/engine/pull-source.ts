import type { ProgressEvent } from '../log.ts';
import { formatReference, type Reference, repositoryOf } from '../oci/reference.ts';
import { RegistryClient } from '../registry/client.ts';
import type { Http } from '../registry/http.ts';
import type { NetworkLimits } from '../registry/limits.ts';
import type { RegistryRules, Source } from '../registry/sources.ts';
import type { ImageStore } from '../store/images.ts';
import { LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { checkPairs } from './layer-pairs.ts';
import { type RemoteImage, readRemoteImage } from './pull-image.ts';
import { bringLayer, type LayerJob } from './pull-layer.ts';
import { LayerProgress } from './pull-progress.ts';
import { eachOf } from './pull-queue.ts';
import { checkSpace, neededSpace } from './pull-space.ts';
import { checkSignatures, type SignatureOptions } from './signatures.ts';
import type { PullResult } from './types.ts';
import { hasLayer } from './unpack.ts';

/** docker's default for layers at a time. */
const WIDTH = 3;

export interface PullContext {
  readonly engine: Engine;
  readonly images: ImageStore;
  readonly http: Http;
  readonly rules: RegistryRules;
  readonly limits: NetworkLimits;
  readonly platform: string | undefined;
  readonly signatures: SignatureOptions;
  progress(event: ProgressEvent): void;
}

/** Pulls from one registry. The name is written last, so until then other commands see what was there before. */
export async function pullFrom(context: PullContext, ref: Reference, source: Source): Promise<PullResult> {
  const { engine, images, platform } = context;
  const stop = new AbortController();
  const signal = engine.signal ? AbortSignal.any([engine.signal, stop.signal]) : stop.signal;
  const client = new RegistryClient({ ...context, reporter: engine.reporter, source, signal });
  context.progress({ id: ref.tag ?? ref.digest ?? '', status: `Pulling from ${ref.path}` });
  const warn = (text: string): void => engine.reporter.warn(text);
  const signed = await checkSignatures(client, ref, platform, context.signatures);
  // What was verified is what is pulled, also if the tag is moved in between.
  const pinned = signed === undefined ? ref : { ...ref, digest: signed };
  const remote = await readRemoteImage({ client, blobs: images.blobs, ref: pinned, platform, warn });
  const jobs = await planLayers(context, remote);
  await checkRoom(context, jobs, formatReference(ref));
  const layer = { engine: { ...engine, signal }, client, blobs: images.blobs };
  await eachOf(
    jobs,
    WIDTH,
    job => bringLayer(layer, job),
    () => stop.abort(),
  );
  await checkPairs(
    { ...engine, signal },
    jobs.filter(job => job.hasTree),
  );
  const fetched = jobs.some(job => !job.hasBlob || !job.hasTree);
  return list(context, ref, remote, fetched);
}

/** Each layer once: an image may list the same one several times. */
async function planLayers(
  { engine, images, progress }: PullContext,
  remote: RemoteImage,
): Promise<LayerJob[]> {
  const pairs = remote.manifest.layers.map((descriptor, i) => {
    return { descriptor, diffId: remote.config.rootfs.diff_ids[i] ?? '' };
  });
  const once = new Map(pairs.map(pair => [`${pair.descriptor.digest} ${pair.diffId}`, pair]));
  const jobs = [...once.values()].map(async pair => {
    const told = new LayerProgress(pair.descriptor.digest, progress);
    told.say('Pulling fs layer');
    const hasBlob = await images.blobs.has(pair.descriptor.digest);
    return { ...pair, hasBlob, hasTree: await hasLayer(engine, pair.diffId), progress: told };
  });
  return Promise.all(jobs);
}

async function checkRoom({ engine }: PullContext, jobs: readonly LayerJob[], name: string): Promise<void> {
  const missing = jobs.map(({ descriptor: { mediaType, size }, hasBlob, hasTree }) => {
    return { mediaType, size, blobMissing: !hasBlob, treeMissing: !hasTree };
  });
  const needed = neededSpace(missing, engine.config.images.keepBlobs);
  if (needed > 0) await checkSpace(engine.paths.root, needed, name);
}

async function list(
  context: PullContext,
  ref: Reference,
  remote: RemoteImage,
  fetched: boolean,
): Promise<PullResult> {
  const { engine, images } = context;
  const reference = formatReference(ref);
  // As with docker, a tag beside a digest only helps the reader: it does not become a name.
  const name = ref.digest === undefined ? reference : formatReference({ ...ref, tag: undefined });
  const before = await images.resolve(name);
  const size = await new LayerStore(engine.paths.layers).size(remote.config.rootfs.diff_ids);
  const digests = [`${repositoryOf(ref)}@${remote.top}`];
  const id = await images.add(name, remote.descriptor, { digests, size });
  const downloaded = fetched || before?.manifestDigest !== remote.descriptor.digest;
  return { id, reference, digest: remote.top, downloaded };
}
