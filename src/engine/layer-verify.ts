import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import { DEFAULT_LIMITS } from '../layer/decompress.ts';
import type { VerifyReply } from '../layer/tasks.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';
import { checkAborted } from './load-image.ts';
import { enterHost } from './machine.ts';
import { beginLayer } from './unpack.ts';
import { startTask } from './userns-process.ts';

const CHUNK = 1 << 20;

/** Compares an unpacked layer with its blob; undefined: they agree, else what is wrong. Throws USERNS, HOST. */
export async function compareLayer(
  engine: Engine,
  blob: Descriptor,
  diffId: string,
): Promise<string | undefined> {
  const host = await enterHost(engine);
  const limits = { ...DEFAULT_LIMITS, maxRatio: engine.config.layer.maxRatio };
  const directory = join(new LayerStore(engine.paths.layers).path(diffId), 'fs');
  const options = { name: 'verify', directory, what: 'the process that compares layers' };
  const { child, result } = await startTask<VerifyReply>(host, { task: 'verify', limits }, options);
  const source = createReadStream(imageStore(engine).blobs.path(blob.digest), { highWaterMark: CHUNK });
  const data = child.stdio[4] as Writable;
  // A process that has ended early says why in its reply; the pipe may also break when everything has been written.
  data.on('error', () => {});
  await pipeline(source, data).catch(() => {});
  const reply = await result.catch(messageOf);
  if (typeof reply === 'string') return `cannot be compared with its blob: ${reply}`;
  if (reply.diffId !== diffId) return `its blob unpacks to ${reply.diffId}`;
  if (reply.count === 0) return undefined;
  const more = reply.count > reply.problems.length ? ` and ${reply.count - reply.problems.length} more` : '';
  return `differs from its archive: ${reply.problems.join(', ')}${more}`;
}

/** Unpacks a layer that is not here from its blob. Throws LAYER, DIGEST, NO_SPACE. */
export async function restoreLayer(engine: Engine, blob: Descriptor, diffId: string): Promise<void> {
  const sink = await beginLayer(engine, { mediaType: blob.mediaType, diffId });
  try {
    const path = imageStore(engine).blobs.path(blob.digest);
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
      checkAborted(engine);
      await sink.write(chunk as Buffer);
    }
    await sink.end();
  } finally {
    await sink.abort();
  }
}
