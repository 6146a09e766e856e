import { createReadStream, statSync } from 'node:fs';
import { messageOf, TsboxError } from '../errors.ts';
import { DEFAULT_LIMITS, decompress } from '../layer/decompress.ts';
import { hostPlatform, parsePlatform } from '../oci/platform.ts';
import { collect, whileAdding } from './collect.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { inflateForeign } from './foreign-compression.ts';
import type { ArchiveFiles } from './load-archive.ts';
import { DirectoryFiles } from './load-directory.ts';
import { readDockerArchive } from './load-docker.ts';
import { type EagerLayers, eagerWriter, type MemberHint } from './load-eager.ts';
import { checkAborted, keepImage } from './load-image.ts';
import { readOciLayout } from './load-oci.ts';
import { TarFiles } from './load-tar.ts';
import { imageEvent } from './record-event.ts';
import { checkArchivePolicy } from './signatures.ts';
import type { LoadOptions } from './types.ts';

/**
 * docker load: a docker-archive or an OCI archive, plain or compressed (gzip, zstd, xz, bzip2), from a stream or a file, or a directory with an OCI layout.
 * Returns the names (ids of images without one) of what was loaded. On failure no image is listed and what
 * was stored for it is collected. Throws LAYER, MANIFEST, DIGEST, NO_SPACE, IO.
 */
export async function load(
  engine: Engine,
  input: NodeJS.ReadableStream | string,
  options: LoadOptions = {},
): Promise<string[]> {
  try {
    const names = await whileAdding(engine, () => loadAll(engine, input, options));
    for (const name of names) imageEvent(engine, 'load', name);
    return names;
  } catch (error) {
    await collect(engine).catch((e: unknown) =>
      engine.reporter.debug('store', () => `collect: ${messageOf(e)}`),
    );
    throw error;
  }
}

async function loadAll(
  engine: Engine,
  input: NodeJS.ReadableStream | string,
  { platform }: LoadOptions,
): Promise<string[]> {
  await checkArchivePolicy(engine.config.images.requireSignature);
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const { blobs } = imageStore(engine);
  const eager: EagerLayers = new Map();
  const files = await openArchive(engine, input, eager);
  const images = (await readDockerArchive(files, blobs)) ?? (await readOciLayout(files, blobs, wanted));
  if (!images) {
    throw new TsboxError(
      'MANIFEST',
      'this is no image archive: it has neither manifest.json nor index.json',
      {
        hint: 'a root file system goes in with tsbox import',
      },
    );
  }
  const names = [];
  for (const image of images) names.push(...(await keepImage(engine, image, eager)));
  const used = new Set(images.flatMap(image => image.layers.map(layer => layer.digest)));
  // Nobody else would look for a layer that no image wants.
  if ([...eager.keys()].some(digest => !used.has(digest))) await collect(engine);
  return names;
}

async function openArchive(
  engine: Engine,
  input: NodeJS.ReadableStream | string,
  eager: EagerLayers,
): Promise<ArchiveFiles> {
  const openWriter = (hint: MemberHint) => eagerWriter(engine, hint, eager);
  if (typeof input === 'string' && isDirectory(input)) return new DirectoryFiles(input, openWriter);
  const stream = typeof input === 'string' ? createReadStream(input, { highWaterMark: 1 << 20 }) : input;
  const limits = { ...DEFAULT_LIMITS, maxRatio: engine.config.layer.maxRatio };
  const plain = decompress(chunksOf(engine, stream), limits, inflateForeign);
  return TarFiles.read(plain, imageStore(engine).blobs, openWriter);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new TsboxError('IO', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** The chunks of any stream as buffers, until the caller gives up. */
export async function* chunksOf(engine: Engine, stream: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    checkAborted(engine);
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}
