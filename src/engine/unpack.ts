import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import { ioError, writeFileAtomic } from '../store/atomic.ts';
import { type LayerRecord, LayerStore } from '../store/layers.ts';
import { makeWorkDir, type WorkDir } from '../store/workdir.ts';
import type { Engine } from './context.ts';
import { enterHost } from './machine.ts';
import { removeTree } from './remove-tree.ts';
import { startUnpack, type UnpackProcess } from './unpack-process.ts';

export interface LayerExpectation {
  /** As the manifest says; the bytes themselves tell how they are compressed. */
  readonly mediaType?: string;
  /** Digest of the uncompressed archive. Absent: whatever comes (import), told by `end`. */
  readonly diffId?: string;
}

/** A layer on its way from compressed bytes to `layers/<diff id>`. */
export interface LayerSink {
  /** Takes the next bytes as they come; resolves when more are welcome. Rejects as soon as the archive proves bad. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes are in: resolves when the layer is whole and in its place. Throws LAYER, DIGEST, NO_SPACE. */
  end(): Promise<LayerRecord>;
  /** Gives up; nothing stays. After `end`, or again: nothing to do. */
  abort(): Promise<void>;
}

/** True when the layer is unpacked already. */
export async function hasLayer(engine: Engine, diffId: string): Promise<boolean> {
  return new LayerStore(engine.paths.layers).has(diffId);
}

/**
 * Begins to unpack a layer: one process in a user namespace for each, whose root is the layer's directory. A failed `write`
 * or `end` has cleaned up after itself. Throws USERNS, HOST, IO.
 */
export async function beginLayer(engine: Engine, expect: LayerExpectation): Promise<LayerSink> {
  // First: in root mode this gives the store to the ids that own what is made in it.
  const host = await enterHost(engine);
  const work = await makeWorkDir(engine.paths.tmp, 'layer');
  const root = join(work.path, 'fs');
  try {
    await mkdir(root, { mode: 0o755 });
    for (const path of [work.path, root]) giveToStore(engine.paths.root, path);
    return new Sink(engine, work, await startUnpack(engine, host, root), expect);
  } catch (error) {
    await discard(engine, work);
    throw error;
  }
}

class Sink implements LayerSink {
  readonly #engine: Engine;
  readonly #work: WorkDir;
  readonly #process: UnpackProcess;
  readonly #expect: LayerExpectation;
  #open = true;

  constructor(engine: Engine, work: WorkDir, process: UnpackProcess, expect: LayerExpectation) {
    this.#engine = engine;
    this.#work = work;
    this.#process = process;
    this.#expect = expect;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#open) throw new TsboxError('INTERNAL', 'write to a layer that has ended');
    try {
      await this.#process.write(chunk);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async end(): Promise<LayerRecord> {
    if (!this.#open) throw new TsboxError('INTERNAL', 'end of a layer that has ended');
    try {
      const record = await this.#record();
      await this.#publish(record);
      this.#open = false;
      return record;
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#process.stop();
    await discard(this.#engine, this.#work);
  }

  async #record(): Promise<LayerRecord> {
    const { diffId, size, entries, reductions } = await this.#process.finish();
    const { diffId: expected } = this.#expect;
    if (expected !== undefined && diffId !== expected) {
      throw new TsboxError('DIGEST', `layer ${expected} has the content of ${diffId}`, {
        hint: 'the image contradicts itself; report it to whoever publishes it',
      });
    }
    const created = new Date().toISOString();
    return { version: 1, diffId, size, entries, created, userns: this.#process.mode, reduced: reductions };
  }

  async #publish(record: LayerRecord): Promise<void> {
    await writeFileAtomic(join(this.#work.path, 'layer.json'), JSON.stringify(record));
    const final = new LayerStore(this.#engine.paths.layers).path(record.diffId);
    try {
      await rename(this.#work.path, final);
      await this.#work.release();
    } catch (error) {
      // Another command has unpacked the same layer meanwhile: its tree is as good as ours.
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw ioError(error, `cannot keep layer ${record.diffId}`);
      await discard(this.#engine, this.#work);
    }
  }
}

async function discard(engine: Engine, work: WorkDir): Promise<void> {
  const relative = work.path.slice(engine.paths.root.length + 1);
  await removeTree(engine, relative).catch((error: unknown) => {
    // It stays in tmp/ and is swept by a later command; the error that brought us here matters more.
    engine.reporter.debug('store', () => `cannot remove ${relative}: ${String(error)}`);
  });
  await work.release();
}
