import { TsboxError } from '../errors.ts';
import type { CommitReply, CommitTask } from '../layer/tasks.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { OCI_LAYER } from '../oci/media-types.ts';
import type { BlobWriter } from '../store/blobs.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { LayerRecord } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { discardLayerTree, type LayerTree, makeLayerTree, publishLayerTree } from './layer-tree.ts';
import { enterHost } from './machine.ts';
import { upperOf } from './upper-of.ts';
import { startTask } from './userns-process.ts';

export interface CommittedLayer {
  readonly descriptor: Descriptor;
  readonly record: LayerRecord;
}

/**
 * What a container changed as a layer: the archive (uncompressed: compressing is push's work) and, of the same bytes, the
 * unpacked tree. Every file is read once. Nothing stays when it fails. Throws LAYER, IO, NO_SPACE, ABORTED.
 */
export async function commitLayer(engine: Engine, container: ContainerRecord): Promise<CommittedLayer> {
  const host = await enterHost(engine);
  const { directory, task } = await upperOf(engine, host, container);
  const tree = await makeLayerTree(engine);
  const blob = await imageStore(engine).blobs.writer();
  try {
    const target = tree.root.slice(engine.paths.root.length + 1);
    const commit: CommitTask = { ...task, task: 'commit', target };
    const what = 'the process that packs layers';
    const options = { name: 'commit', directory, output: blob.fd, what };
    const { child, result } = await startTask<CommitReply>(host, commit, options);
    const reply = await abortable(engine, result, () => child.kill('SIGKILL'));
    return await keep(engine, { tree, blob, reply, mode: host.maps.mode });
  } catch (error) {
    await discardLayerTree(engine, tree);
    throw error;
  } finally {
    await blob.abort();
  }
}

/** Throws ABORTED when the caller gives up meanwhile; then the work has been stopped. */
async function abortable<T>({ signal }: Engine, work: Promise<T>, stop: () => unknown): Promise<T> {
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: signal.reason });
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

interface Packed {
  readonly tree: LayerTree;
  readonly blob: BlobWriter;
  readonly reply: CommitReply;
  readonly mode: LayerRecord['userns'];
}

/** The archive is not compressed: its digest is the layer's diff id. */
async function keep(engine: Engine, { tree, blob, reply, mode }: Packed): Promise<CommittedLayer> {
  const { size, entries, reductions: reduced, digest, length } = reply;
  const stored = await blob.commitWritten({ digest, size: length });
  const created = new Date().toISOString();
  const record: LayerRecord = {
    version: 1,
    diffId: stored.digest,
    size,
    entries,
    created,
    userns: mode,
    reduced,
  };
  await publishLayerTree(engine, tree, record);
  return { descriptor: { mediaType: OCI_LAYER, ...stored }, record };
}
