import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newSha256 } from '../util/hash.ts';
import type { Problem } from './check-problem.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { checkAborted } from './load-image.ts';

// Manifests and configs: always compared with their digests, which takes no time.
const SMALL = 1 << 16;

/** Is every blob what its name says? Sizes of all, content of small ones, with `full` of all. */
export async function checkBlobs(engine: Engine, { full }: { full: boolean }): Promise<Problem[]> {
  const { blobs } = imageStore(engine);
  const expected = await expectedSizes(engine);
  const problems = (await blobs.strangers()).map(path => stranger(engine, path));
  for (const digest of await blobs.list()) {
    checkAborted(engine);
    const size = await blobs.size(digest);
    if (size === undefined) continue;
    const wanted = expected.get(digest) ?? size;
    const problem =
      size !== wanted
        ? `has ${size} bytes instead of ${wanted}`
        : await wrongContent(blobs.path(digest), digest, full || size <= SMALL);
    if (problem) problems.push(damaged(engine, digest, problem));
  }
  return problems;
}

async function expectedSizes(engine: Engine): Promise<Map<string, number>> {
  const images = await imageStore(engine).list();
  const descriptors = images.flatMap(image => [image.configDescriptor, ...image.layerDescriptors]);
  return new Map(descriptors.map(({ digest, size }) => [digest, size]));
}

async function wrongContent(path: string, digest: string, read: boolean): Promise<string | undefined> {
  if (!read) return undefined;
  const hash = newSha256();
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(chunk as Buffer);
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  const found = `sha256:${hash.digest('hex')}`;
  return found === digest ? undefined : `has the content of ${found}`;
}

function damaged(engine: Engine, digest: string, problem: string): Problem {
  const mend = () => imageStore(engine).blobs.remove(digest);
  return { area: 'blob', what: digest, problem, remedy: 'removed: the next pull gets it again', mend };
}

function stranger(engine: Engine, name: string): Problem {
  const path = join('images/blobs/sha256', name);
  return {
    area: 'leftover',
    what: path,
    problem: 'is not named by a digest',
    remedy: 'removed',
    mend: () => rm(join(engine.paths.root, path), { recursive: true, force: true }),
  };
}
