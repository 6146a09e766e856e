import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import type { AddBegun, AddTask, KeepTask, KeptLayer } from '../layer/build-tasks.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { OCI_LAYER } from '../oci/media-types.ts';
import type { EnterHost } from '../runtime/enter.ts';
import { lowerTrees } from '../storage/layout.ts';
import type { BlobWriter } from '../store/blobs.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { LayerRecord } from '../store/layers.ts';
import { type BuildProcess, startBuildTask } from './build-process.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { discardLayerTree, type LayerTree, makeLayerTree, publishLayerTree } from './layer-tree.ts';
import { enterHost } from './machine.ts';

/** A layer that a step has made; its archive is not compressed, so that both digests are the same. */
export interface BuiltLayer {
  readonly diffId: string;
  readonly descriptor: Descriptor;
}

/** Paths of the layers' trees, the top one first, relative to the store. */
export const lowersOf = (layers: readonly string[]): string[] => lowerTrees({ layers });

/** An archive comes as pieces that are valid until the next one is asked for. */
export type Pieces = Iterable<Buffer> | AsyncIterable<Buffer>;

export interface AddRequest {
  /** Diff ids of what is below, base first; empty: independent of it. */
  readonly layers: readonly string[];
  readonly destination: string;
  /** Of directories that have to be made. */
  readonly owner: Owner;
  readonly epoch?: number;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What to put there, when it is known what is there. */
export type Fill = (begun: AddBegun) => Pieces | Promise<Pieces>;

/** The layer of a COPY, ADD or WORKDIR. Nothing stays when it fails. Throws what `fill` throws, LAYER, IO, NO_SPACE, ABORTED. */
export async function addLayer(engine: Engine, request: AddRequest, fill: Fill): Promise<BuiltLayer> {
  const host = await enterHost(engine);
  return makeLayer(engine, host.maps.mode, (tree, blob) =>
    fillTree(engine, { host, tree, blob, request, fill }),
  );
}

/** Files for one step that may change them: no layer, so nobody else ever sees them. */
export async function scratchTree(
  engine: Engine,
  request: AddRequest,
  fill: Fill,
): Promise<{ readonly path: string; discard(): Promise<void> }> {
  const host = await enterHost(engine);
  const tree = await makeLayerTree(engine);
  const blob = await imageStore(engine).blobs.writer();
  try {
    await fillTree(engine, { host, tree, blob, request, fill });
    return { path: tree.root, discard: () => discardLayerTree(engine, tree) };
  } catch (error) {
    await discardLayerTree(engine, tree);
    throw error;
  } finally {
    await blob.abort();
  }
}

interface Filling {
  readonly host: EnterHost;
  readonly tree: LayerTree;
  readonly blob: BlobWriter;
  readonly request: AddRequest;
  readonly fill: Fill;
}

async function fillTree(engine: Engine, { host, tree, blob, request, fill }: Filling): Promise<KeptLayer> {
  const { epoch, owner } = request;
  const task: AddTask = {
    task: 'build-add',
    mode: host.maps.mode,
    lowers: lowersOf(request.layers),
    destination: bytesOf(request.destination),
    ...owner,
    ...(epoch !== undefined && { epoch }),
  };
  const options = { directory: tree.root, output: blob.fd, signal: engine.signal };
  const process = await startBuildTask(host, task, options);
  try {
    const begun = await process.reply<AddBegun>();
    await send(process, await fill(begun));
    return await process.reply<KeptLayer>();
  } finally {
    await process.stop();
  }
}

/** Pieces are used again: each is written before the next one is made. */
async function send({ data }: BuildProcess, pieces: Pieces): Promise<void> {
  for await (const piece of pieces) {
    const failed = await new Promise<boolean>(resolve => data.write(piece, error => resolve(Boolean(error))));
    // It has ended early: its reply says why.
    if (failed) return;
  }
  data.end();
}

/** What a RUN left in its upper directory as a layer; the directory is moved, not copied. */
export async function keepUpper(
  engine: Engine,
  container: ContainerRecord,
  stubs: readonly string[],
  epoch: number | undefined,
): Promise<BuiltLayer> {
  const host = await enterHost(engine);
  const from = `containers/${container.id}/upper`;
  return makeLayer(engine, host.maps.mode, async (tree, blob) => {
    const task: KeepTask = {
      task: 'build-keep',
      mode: host.maps.mode,
      lowers: lowersOf(container.image.layers),
      from,
      target: tree.root.slice(engine.paths.root.length + 1),
      stubs: stubs.map(bytesOf),
      ...(epoch !== undefined && { epoch }),
    };
    const directory = join(engine.paths.root, from);
    const process = await startBuildTask(host, task, { directory, output: blob.fd, signal: engine.signal });
    try {
      return await process.reply<KeptLayer>();
    } finally {
      await process.stop();
    }
  });
}

/** Takes away what was made to mount on, where the layer is made by a copy afterwards. */
export async function removeStubs(
  engine: Engine,
  container: ContainerRecord,
  stubs: readonly string[],
): Promise<void> {
  const host = await enterHost(engine);
  const isWhole = container.storage.driver === 'vfs';
  const from = `containers/${container.id}/${isWhole ? 'vfs' : 'upper'}`;
  const task: KeepTask = {
    task: 'build-keep',
    mode: host.maps.mode,
    lowers: lowersOf(container.image.layers),
    from,
    target: '',
    only: isWhole ? 'whole' : 'upper',
    stubs: stubs.map(bytesOf),
  };
  const nothing = await open('/dev/null', 'w');
  const options = { directory: join(engine.paths.root, from), output: nothing.fd, signal: engine.signal };
  const process = await startBuildTask(host, task, options);
  try {
    await process.reply<KeptLayer>();
  } finally {
    await process.stop();
    await nothing.close();
  }
}

export async function makeLayer(
  engine: Engine,
  mode: LayerRecord['userns'],
  work: (tree: LayerTree, blob: BlobWriter) => Promise<KeptLayer>,
): Promise<BuiltLayer> {
  const tree = await makeLayerTree(engine);
  const blob = await imageStore(engine).blobs.writer();
  try {
    const { digest, length, entries, size } = await work(tree, blob);
    const stored = await blob.commitWritten({ digest, size: length });
    const created = new Date().toISOString();
    const reduced = { owners: 0, devices: 0, setuid: 0, xattrs: 0 };
    const record = { version: 1, diffId: digest, size, entries, created, userns: mode, reduced } as const;
    await publishLayerTree(engine, tree, record);
    return { diffId: digest, descriptor: { mediaType: OCI_LAYER, ...stored } };
  } catch (error) {
    await discardLayerTree(engine, tree);
    if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: engine.signal.reason });
    throw error;
  } finally {
    await blob.abort();
  }
}

export const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');
