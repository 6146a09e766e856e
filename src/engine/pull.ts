import { messageOf, TsboxError } from '../errors.ts';
import type { ProgressEvent } from '../log.ts';
import { parsePlatform, platformRank } from '../oci/platform.ts';
import { familiarReference, formatReference, parseReference, type Reference } from '../oci/reference.ts';
import type { NetworkLimits } from '../registry/limits.ts';
import type { Source } from '../registry/sources.ts';
import { type ImageRecord, ImageStore } from '../store/images.ts';
import { LayerStore } from '../store/layers.ts';
import { whileAdding } from './collect.ts';
import type { Engine } from './context.ts';
import type { PullContext } from './pull-source.ts';
import { imageEvent } from './record-event.ts';
import { expandAlias } from './short-names.ts';
import type { PullOptions, PullResult } from './types.ts';

/**
 * Brings an image and gives it its name. Policy: `always` (default) asks the registry and fetches what differs, `missing`
 * does so only when the image is not here whole, `never` throws NOT_FOUND then. `limits` is for tests.
 */
export async function pull(
  engine: Engine,
  reference: string,
  options: PullOptions = {},
  limits?: NetworkLimits,
): Promise<PullResult> {
  const images = new ImageStore(engine.paths.images, engine.paths.tmp);
  const policy = options.policy ?? 'always';
  const ask = policy === 'always' || options.requireSignature;
  const here = ask ? undefined : await findHere(engine, images, reference, options.platform);
  if (here !== undefined) return asResult(parseReference(here.name), here.record);
  if (policy === 'never') throw notHere(reference);
  const ref = parseReference(await expandAlias(engine, reference));
  return fetchImage(engine, images, ref, options, limits);
}

/**
 * The image that `create` and `run` start from: a name or an id. Pulls by policy (default `missing`). Throws NOT_FOUND when
 * it is not here and may not or cannot be pulled.
 */
export async function ensureImage(
  engine: Engine,
  reference: string,
  options: PullOptions = {},
): Promise<ImageRecord> {
  const images = new ImageStore(engine.paths.images, engine.paths.tmp);
  const policy = options.policy ?? 'missing';
  const isId = /^(?:sha256:[0-9a-f]+|[0-9a-f]{64})$/.test(reference);
  // Whether what is here was verified when it came, nobody knows.
  const ask = options.requireSignature || (policy === 'always' && !isId);
  const here = ask ? undefined : await findHere(engine, images, reference, options.platform);
  if (here !== undefined) return here.record;
  if (policy === 'never' || isId) throw notHere(reference);
  const ref = parseReference(await expandAlias(engine, reference));
  if (policy === 'missing') engine.reporter.info(`Unable to find image '${familiarReference(ref)}' locally`);
  const { id } = await fetchImage(engine, images, ref, options);
  const record = await images.resolve(id);
  if (record === undefined)
    throw new TsboxError('CONFLICT', `${reference} was removed while it was being pulled`);
  return record;
}

/** The image under that name, or under what the name stands for. */
async function findHere(
  engine: Engine,
  images: ImageStore,
  reference: string,
  platform: string | undefined,
): Promise<{ name: string; record: ImageRecord } | undefined> {
  const named = await usableHere(engine, images, reference, platform);
  if (named !== undefined) return { name: reference, record: named };
  const name = await expandAlias(engine, reference);
  const record = name === reference ? undefined : await usableHere(engine, images, name, platform);
  return record && { name, record };
}

/** The image, if it is here with every layer unpacked, for the platform that was asked for. */
async function usableHere(
  engine: Engine,
  images: ImageStore,
  reference: string,
  platform: string | undefined,
): Promise<ImageRecord | undefined> {
  const record = await images.resolve(reference);
  if (record === undefined) return undefined;
  const { os, architecture, variant } = record.config;
  const have = { os, architecture, variant: variant || undefined };
  if (platform !== undefined && platformRank(parsePlatform(platform), have) === undefined) return undefined;
  const layers = new LayerStore(engine.paths.layers);
  const there = await Promise.all(record.layers.map(diffId => layers.has(diffId)));
  return there.every(Boolean) ? record : undefined;
}

function asResult(ref: Reference, { id, manifestDigest, digests }: ImageRecord): PullResult {
  const digest = digests[0]?.split('@')[1] ?? manifestDigest;
  return { id, reference: formatReference(ref), digest, downloaded: false };
}

function notHere(reference: string): TsboxError {
  return new TsboxError('NOT_FOUND', `no such image here: ${reference}`, {
    hint: 'tsbox images lists what is here; tsbox pull gets one',
  });
}

/** Loads what talks to registries only now: `run` of an image that is here never gets so far. */
async function fetchImage(
  engine: Engine,
  images: ImageStore,
  ref: Reference,
  options: PullOptions,
  limits?: NetworkLimits,
): Promise<PullResult> {
  const [{ Http }, { DEFAULT_LIMITS }, { loadRules }, { pullSources }] = await Promise.all([
    import('../registry/http.ts'),
    import('../registry/limits.ts'),
    import('../registry/rules.ts'),
    import('../registry/sources.ts'),
  ]);
  const rules = await loadRules(engine.config);
  const sources = pullSources(ref, rules);
  const patience = limits ?? DEFAULT_LIMITS;
  const http = new Http(patience);
  const progress = options.onProgress ?? ((event: ProgressEvent) => engine.reporter.progress(event));
  const { platform } = options;
  // What the configuration asks for, no caller takes back.
  const required = engine.config.images.requireSignature || (options.requireSignature ?? false);
  const signatures = { required, policyFile: options.signaturePolicy };
  const context = { engine, images, http, rules, limits: patience, platform, progress, signatures };
  try {
    const result = await whileAdding(engine, () => firstThatWorks(context, ref, sources));
    imageEvent(
      engine,
      'pull',
      familiarReference(ref),
      familiarReference({ ...ref, tag: undefined, digest: undefined }),
    );
    return result;
  } finally {
    await http.close();
  }
}

async function firstThatWorks(
  context: PullContext,
  ref: Reference,
  sources: readonly Source[],
): Promise<PullResult> {
  const { pullFrom } = await import('./pull-source.ts');
  const failures: string[] = [];
  for (const source of sources) {
    try {
      return await pullFrom(context, ref, source);
    } catch (error) {
      if (!source.mirror || !mayPass(error)) throw withMirrors(error, failures);
      failures.push(`${source.host}: ${messageOf(error)}`);
      context.engine.reporter.debug('registry', () => `mirror ${source.host} failed: ${messageOf(error)}`);
    }
  }
  throw new TsboxError('INTERNAL', `no registry to ask for ${formatReference(ref)}`);
}

/** What a mirror does wrong, another registry may do right; what is wrong here stays wrong. */
function mayPass(error: unknown): boolean {
  const mirrors = [
    'REGISTRY',
    'UNAUTHORIZED',
    'NOT_FOUND',
    'DIGEST',
    'MANIFEST',
    'LAYER',
    'PLATFORM',
    'SIGNATURE',
  ];
  return error instanceof TsboxError && mirrors.includes(error.code);
}

function withMirrors(error: unknown, failures: readonly string[]): unknown {
  if (failures.length === 0 || !(error instanceof TsboxError)) return error;
  const { code, message, hint } = error;
  const text = `${message} (mirrors failed before: ${failures.join('; ')})`;
  return new TsboxError(code, text, { cause: error, ...(hint !== undefined && { hint }) });
}
