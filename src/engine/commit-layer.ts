import type { Readable } from 'node:stream';
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
    const { child, result } = await startTask<CommitReply>(host, commit, { name: 'commit', directory, what });
    try {
      await drain(engine, child.stdio[4] as Readable, blob);
      return await keep(engine, { tree, blob, reply: await result, mode: host.maps.mode });
    } finally {
      child.kill('SIGKILL');
      await result.catch(() => {});
    }
  } catch (error) {
    await discardLayerTree(engine, tree);
    throw error;
  } finally {
    await blob.abort();
  }
}

async function drain(engine: Engine, stream: Readable, blob: BlobWriter): Promise<void> {
  for await (const chunk of stream) {
    if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: engine.signal.reason });
    await blob.write(chunk as Buffer);
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
  const stored = await blob.commit();
  const { size, entries, reductions: reduced } = reply;
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
