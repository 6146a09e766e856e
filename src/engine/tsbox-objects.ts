import type { Container } from './container-handle.ts';
import type { Engine } from './context.ts';
import type { Sandbox } from './sandbox.ts';
import { ThingCalls } from './tsbox-things.ts';
import type * as T from './types.ts';

/** The part of `Tsbox` that gives objects to work with. */
export abstract class ObjectCalls extends ThingCalls {
  readonly #engine: Engine;
  #swept = false;

  protected constructor(engine: Engine) {
    super(engine);
    this.#engine = engine;
  }

  /** Removes what killed commands left behind. */
  abstract sweep(): Promise<void>;

  /** A container that exists, by name, id or the beginning of its id. Throws NOT_FOUND, and CONFLICT for a beginning of several. */
  async container(nameOrId: string): Promise<Container> {
    const { findContainerId } = await import('../store/containers.ts');
    const id = await findContainerId(this.#engine.paths, nameOrId);
    return new (await import('./container-handle.ts')).Container(this.#engine, id);
  }

  /** Makes a container without starting it; pulls what is missing. Throws USAGE, NOT_FOUND, CONFLICT, STORAGE, REGISTRY and others. */
  async createContainer(options: T.CreateOptions): Promise<Container> {
    const id = await (await import('./create.ts')).create(this.#engine, options);
    return new (await import('./container-handle.ts')).Container(this.#engine, id);
  }

  /**
   * A warm container for many commands, without a network unless one is asked for: `await using box = await tsbox.sandbox({ image })`.
   * It ends with this process at the latest. Throws as `createContainer`, and what the step of the start that failed says.
   */
  async sandbox(options: T.SandboxOptions): Promise<Sandbox> {
    const box = await (await import('./sandbox-create.ts')).sandbox(this.#engine, options);
    // Once: what an earlier process left, when it was killed with sandboxes of its own.
    if (!this.#swept) void this.sweep();
    this.#swept = true;
    return box;
  }
}
