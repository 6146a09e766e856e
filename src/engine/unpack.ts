import { TsboxError } from '../errors.ts';
import { type LayerRecord, LayerStore } from '../store/layers.ts';
import type { Engine } from './context.ts';
import { discardLayerTree, type LayerTree, makeLayerTree, publishLayerTree } from './layer-tree.ts';
import { enterHost } from './machine.ts';
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
  const tree = await makeLayerTree(engine);
  try {
    return new Sink(engine, tree, await startUnpack(engine, host, tree.root), expect);
  } catch (error) {
    await discardLayerTree(engine, tree);
    throw error;
  }
}

class Sink implements LayerSink {
  readonly #engine: Engine;
  readonly #tree: LayerTree;
  readonly #process: UnpackProcess;
  readonly #expect: LayerExpectation;
  #open = true;

  constructor(engine: Engine, tree: LayerTree, process: UnpackProcess, expect: LayerExpectation) {
    this.#engine = engine;
    this.#tree = tree;
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
      await publishLayerTree(this.#engine, this.#tree, record);
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
    await discardLayerTree(this.#engine, this.#tree);
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
}
