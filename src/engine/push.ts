import { TsboxError } from '../errors.ts';
import type { ProgressEvent } from '../log.ts';
import { MAX_CONFIG_SIZE } from '../oci/config.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { formatPlatform, parsePlatform, platformRank } from '../oci/platform.ts';
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  repositoryOf,
} from '../oci/reference.ts';
import { RegistryClient } from '../registry/client.ts';
import type { NetworkLimits } from '../registry/limits.ts';
import { putManifest } from '../registry/manifests.ts';
import { pushSource } from '../registry/sources.ts';
import type { ImageRecord, ImageStore } from '../store/images.ts';
import { prepareLocks } from '../store/lock.ts';
import { whileAdding } from './collect.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { eachOf } from './pull-queue.ts';
import { pushConfig } from './push-config.ts';
import { type PushContext, type PushedAs, pushLayer } from './push-layer.ts';
import { pushedDocuments } from './push-manifest.ts';
import { PushMemory } from './push-memory.ts';
import { configHolders, planPush } from './push-plan.ts';
import { imageEvent } from './record-event.ts';
import { type Network, withNetwork } from './registry-network.ts';
import type { PushOptions, PushResult } from './types.ts';

/** docker's default for uploads at a time. */
const WIDTH = 5;

/**
 * Uploads an image under its name: what the registry has already is not sent, what another of its repositories has is mounted. Throws
 * NOT_FOUND, PLATFORM, REGISTRY, UNAUTHORIZED, ABORTED.
 */
export async function push(
  engine: Engine,
  reference: string,
  options: PushOptions = {},
  limits?: NetworkLimits,
): Promise<PushResult> {
  const ref = parseReference(reference);
  if (ref.digest !== undefined) {
    throw new TsboxError('USAGE', `cannot push to a digest: ${reference}`, {
      hint: 'give the image a tag (tsbox tag) and push that',
    });
  }
  return withNetwork(engine, limits, network => pushTag(network, ref, options));
}

/** `push --all-tags`: every tag of the repository that is here, in the order they were given. Throws as `push`. */
export async function pushAll(
  engine: Engine,
  repository: string,
  options: PushOptions = {},
  limits?: NetworkLimits,
): Promise<PushResult[]> {
  const ref = untagged(repository);
  const images = imageStore(engine);
  const prefix = `${repositoryOf(ref)}:`;
  const names = (await images.list()).flatMap(image => image.names).filter(name => name.startsWith(prefix));
  if (names.length === 0) throw notHere(repositoryOf(ref));
  return withNetwork(engine, limits, async network => {
    const results: PushResult[] = [];
    for (const name of names) results.push(await pushTag(network, parseReference(name), options));
    return results;
  });
}

/** The name of a repository. Throws USAGE when it has a tag or digest, as docker does. */
export function untagged(repository: string): Reference {
  const ref = parseReference(repository);
  const bare = !repository.includes('@') && !/:[^/]*$/.test(repository);
  if (bare) return ref;
  throw new TsboxError('USAGE', `a tag or digest cannot be used with --all-tags: ${repository}`);
}

async function pushTag(network: Network, ref: Reference, options: PushOptions): Promise<PushResult> {
  const { engine, rules } = network;
  const images = imageStore(engine);
  const image = await images.resolve(formatReference(ref));
  if (image === undefined) throw notHere(familiarReference(ref));
  checkPlatform(image, ref, options.platform);
  const stop = new AbortController();
  const signal = engine.signal ? AbortSignal.any([engine.signal, stop.signal]) : stop.signal;
  const client = new RegistryClient({
    ...network,
    reporter: engine.reporter,
    source: pushSource(ref, rules),
    signal,
  });
  const chunkSize = options.chunkSize ?? engine.config.registries.chunkSize;
  const context = { engine: { ...engine, signal }, client, blobs: images.blobs, chunkSize };
  const emit = options.onProgress ?? ((event: ProgressEvent) => engine.reporter.progress(event));
  emit({ id: '', status: `The push refers to repository [${repositoryOf(ref)}]` });
  const parts = { images, image, ref, all: await images.list() };
  const pushed = await pushParts(context, parts, emit, () => stop.abort());
  const result = await publish(context, parts, pushed);
  imageEvent(engine, 'push', familiarReference(ref));
  return result;
}

interface Parts {
  readonly images: ImageStore;
  readonly image: ImageRecord;
  readonly ref: Reference;
  /** Everything that is here. */
  readonly all: readonly ImageRecord[];
}

interface PushedParts {
  /** In the image's order. */
  readonly layers: readonly PushedAs[];
  /** The config of the image as it is. */
  readonly sentConfig: boolean;
}

/** The layers; beside them the config, unless it depends on what becomes of them. */
async function pushParts(
  context: PushContext,
  parts: Parts,
  emit: (event: ProgressEvent) => void,
  cancel: () => void,
): Promise<PushedParts> {
  const { image, ref, all } = parts;
  const memory = new PushMemory(context.engine.paths.images);
  const jobs = planPush(image, ref, all, await memory.read(), emit);
  const done = new Map<string, PushedAs>();
  for (const { progress } of jobs.values()) progress.say('Preparing');
  const work = [...jobs].map(([digest, job]) => async () => {
    done.set(digest, await pushLayer(context, job));
  });
  const sentConfig = [...jobs.values()].every(job => job.asIs);
  if (sentConfig) work.unshift(() => configAsItIs(context, parts));
  await eachOf(work, WIDTH + 1, task => task(), cancel);
  const compressed = [...jobs].flatMap(([digest, job]): [string, Descriptor][] => {
    const made = done.get(digest);
    return !job.asIs && made?.diffId === job.diffId ? [[job.diffId, made.descriptor]] : [];
  });
  await memory.add(repositoryOf(ref), new Map(compressed));
  return { layers: image.layerDescriptors.map(({ digest }) => done.get(digest) as PushedAs), sentConfig };
}

async function configAsItIs(context: PushContext, { images, image, ref, all }: Parts): Promise<void> {
  const { digest } = image.configDescriptor;
  const bytes = await images.blobs.read(digest, MAX_CONFIG_SIZE);
  await pushConfig(context, { digest, bytes, mountFrom: configHolders(image, ref, all) });
}

/** What of the config is not there yet, then the manifest under the tag: until then nobody sees anything of the image. */
async function publish(
  context: PushContext,
  { images, image, ref }: Parts,
  { layers, sentConfig }: PushedParts,
): Promise<PushResult> {
  const { engine, client } = context;
  const { config, manifest } = await pushedDocuments(images.blobs, image, layers);
  const isThere = sentConfig && config.digest === image.configDescriptor.digest;
  if (!isThere) await pushConfig(context, { ...config, mountFrom: [] });
  const [digest] = await Promise.all([putManifest(client, ref.tag ?? 'latest', manifest), prepareLocks()]);
  await remember(engine, images, image, `${repositoryOf(ref)}@${digest}`);
  return { reference: formatReference(ref), digest, size: manifest.bytes.length };
}

/** The image answers to the digest it has there, if it is still here. */
async function remember(engine: Engine, images: ImageStore, image: ImageRecord, name: string): Promise<void> {
  if (image.digests.includes(name)) return;
  await whileAdding(engine, async () => {
    if ((await images.resolve(image.id)) === undefined) return;
    const { manifestDigest: digest, mediaType } = image;
    const size = await images.blobs.size(digest);
    if (size !== undefined) await images.add(undefined, { mediaType, digest, size }, { digests: [name] });
  });
}

function checkPlatform(image: ImageRecord, ref: Reference, platform: string | undefined): void {
  if (platform === undefined) return;
  const { os, architecture, variant } = image.config;
  const have = { os, architecture, variant: variant || undefined };
  const wanted = parsePlatform(platform);
  if (platformRank(wanted, have) !== undefined) return;
  const text = `${familiarReference(ref)} is here for ${formatPlatform(have)}, not for ${formatPlatform(wanted)}`;
  throw new TsboxError('PLATFORM', text, {
    hint: `tsbox pull --platform ${formatPlatform(wanted)} gets the other`,
  });
}

function notHere(name: string): TsboxError {
  return new TsboxError('NOT_FOUND', `no such image here: ${name}`, {
    hint: 'tsbox images lists what is here; tsbox tag gives an image another name',
  });
}
