import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hasErrno, messageOf } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { containerState, listContainerRecords } from '../store/containers.ts';
import { LayerStore } from '../store/layers.ts';
import type { Problem } from './check-problem.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { compareLayer, restoreLayer } from './layer-verify.ts';
import { removeTree } from './remove-tree.ts';

/** Is every unpacked layer whole, and is there one for each that an image needs? `full`: does it hold what its archive says? */
export async function checkLayers(engine: Engine, { full }: { full: boolean }): Promise<Problem[]> {
  const blobs = await blobsOfLayers(engine);
  const problems: Problem[] = [];
  const damaged = new Set<string>();
  for (const name of await namesIn(engine.paths.layers)) {
    const diffId = `sha256:${name}`;
    const problem = await problemOf(engine, diffId, full ? blobs.get(diffId) : undefined);
    if (problem === undefined) continue;
    damaged.add(diffId);
    problems.push(await remedyFor(engine, { name, problem, blob: blobs.get(diffId) }));
  }
  const here = new Set(await new LayerStore(engine.paths.layers).list());
  for (const [diffId, blob] of blobs) {
    if (!here.has(diffId) && !damaged.has(diffId)) problems.push(missing(engine, diffId, blob));
  }
  return problems;
}

/** What each layer of an image can be unpacked from again; undefined where the blob is not kept. */
async function blobsOfLayers(engine: Engine): Promise<Map<string, Descriptor | undefined>> {
  const found = new Map<string, Descriptor | undefined>();
  const { blobs } = imageStore(engine);
  for (const image of await imageStore(engine).list()) {
    for (const [i, diffId] of image.layers.entries()) {
      const descriptor = image.layerDescriptors[i];
      const isHere = descriptor !== undefined && (await blobs.size(descriptor.digest)) === descriptor.size;
      found.set(diffId, found.get(diffId) ?? (isHere ? descriptor : undefined));
    }
  }
  return found;
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
}

async function problemOf(
  engine: Engine,
  diffId: string,
  blob: Descriptor | undefined,
): Promise<string | undefined> {
  if (!isDigest(diffId)) return 'is not named by a digest';
  const store = new LayerStore(engine.paths.layers);
  const record = await store.record(diffId).catch(messageOf);
  if (typeof record === 'string') return record;
  if (record === undefined) return 'has no layer.json';
  if (record?.version !== 1 || record.diffId !== diffId) return 'its layer.json describes something else';
  const tree = await stat(join(store.path(diffId), 'fs')).catch(() => undefined);
  if (!tree?.isDirectory()) return 'its tree is missing';
  return blob && compareLayer(engine, blob, diffId);
}

interface Damage {
  readonly name: string;
  readonly problem: string;
  readonly blob: Descriptor | undefined;
}

async function remedyFor(engine: Engine, { name, problem, blob }: Damage): Promise<Problem> {
  const diffId = `sha256:${name}`;
  const found = { area: 'layer', what: diffId, problem } as const;
  const user = await runningUser(engine, diffId);
  if (user !== undefined) {
    return { ...found, remedy: `container ${user} runs on it: stop it, then check again` };
  }
  const directory = relative(engine.paths.root, join(engine.paths.layers, name));
  const mend = async (): Promise<void> => {
    await removeTree(engine, directory, { mapped: true });
    if (blob) await restoreLayer(engine, blob, diffId);
  };
  return { ...found, remedy: blob ? 'unpacked again' : 'removed: the next pull gets it again', mend };
}

async function runningUser({ paths }: Engine, diffId: string): Promise<string | undefined> {
  for (const record of await listContainerRecords(paths)) {
    if (!record.image.layers.includes(diffId)) continue;
    const { status } = await containerState(paths, record);
    if (status !== 'created' && status !== 'exited') return record.name;
  }
  return undefined;
}

function missing(engine: Engine, diffId: string, blob: Descriptor | undefined): Problem {
  const found = { area: 'layer', what: diffId, problem: 'is missing, and an image needs it' } as const;
  if (!blob) return { ...found, remedy: 'pull the image again' };
  return { ...found, remedy: 'unpacked again', mend: () => restoreLayer(engine, blob, diffId) };
}
