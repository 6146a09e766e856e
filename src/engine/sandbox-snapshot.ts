import { TsboxError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import type { Sandbox } from './sandbox.ts';
import type { SharedLayer } from './sandbox-layer.ts';

/** Makes a sandbox of the kind of another, on these layers. */
export type StartLike = (
  engine: Engine,
  from: ContainerRecord,
  layers: readonly SharedLayer[],
) => Promise<Sandbox>;

/**
 * The files of a sandbox at one moment, as layers that every sandbox begun from it shares. It lives in this process: keep the sandbox it is
 * of, one that was started from it, or this handle open. For an image that stays, `commit` a container.
 */
export class Snapshot implements AsyncDisposable {
  readonly #begin: () => Promise<Sandbox>;
  readonly #release: ReadonlyArray<() => Promise<void>>;
  #removed = false;

  /** For the engine alone. */
  constructor(layers: readonly SharedLayer[], begin: () => Promise<Sandbox>) {
    this.#begin = begin;
    this.#release = layers.map(layer => layer.hold());
  }

  /**
   * Starts `count` sandboxes (default 1) beside one another: with these files, with the options of the sandbox that they are of, but with
   * none of its published ports and fixed addresses, and with new anonymous volumes. If one fails, none is left. Throws as {@link Tsbox.sandbox}, BAD_STATE
   * after `remove`.
   */
  async start(count = 1): Promise<Sandbox[]> {
    if (this.#removed) throw new TsboxError('BAD_STATE', 'the snapshot has been removed');
    const begun = await Promise.allSettled(Array.from({ length: count }, () => this.#begin()));
    const made = begun.flatMap(b => (b.status === 'fulfilled' ? [b.value] : []));
    const failed = begun.find(b => b.status === 'rejected');
    if (!failed) return made;
    await Promise.all(made.map(each => each.close()));
    throw failed.reason;
  }

  /** Lets it go: its layers are removed when no sandbox stands on them any more. Throws IO. */
  async remove(): Promise<void> {
    this.#removed = true;
    for (const release of this.#release) await release();
  }

  /** `remove`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }
}
