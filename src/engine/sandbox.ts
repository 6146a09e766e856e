import { TsboxError } from '../errors.ts';
import { ops } from '../plan/ops.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { checkNumber, execIn, perform } from './sandbox-exec.ts';
import { dropGroupOf, launchSandbox, type RunningSandbox } from './sandbox-launch.ts';
import { checkStacking, freeze, type SharedLayer } from './sandbox-layer.ts';
import { Snapshot, type StartLike } from './sandbox-snapshot.ts';
import type { SandboxExecOptions, SandboxResult, SandboxWriteOptions } from './sandbox-types.ts';
import type { CopyOptions, CopyResult } from './types.ts';

/** What a sandbox is made of; for the engine alone. */
export interface SandboxParts {
  readonly engine: Engine;
  readonly record: ContainerRecord;
  readonly running: RunningSandbox;
  /** Layers of snapshots that it stands on, the lowest first; it holds them. */
  readonly layers: readonly SharedLayer[];
  /** Makes one more of the kind. */
  readonly like: StartLike;
}

/**
 * A warm container: its namespaces, mounts and filters are made once, and each command is a fork in it. Made by
 * {@link Tsbox.sandbox}, {@link Sandbox.fork} and {@link Snapshot.start}.
 *
 * It lives as long as this process at most: with `close`, at the end of an `await using` block, or when the process ends,
 * everything in it is killed and its files are removed. Commands may run beside one another, 48 at a time; more wait.
 */
export class Sandbox implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #like: StartLike;
  #record: ContainerRecord;
  #running: Promise<RunningSandbox> | undefined;
  /** Commands and copies under way. */
  #busy = 0;
  /** Nothing has run since the last snapshot: it has what another would have. */
  #frozen = false;
  #layers: readonly SharedLayer[];
  #release: Array<() => Promise<void>>;
  #changing: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** For the engine alone. */
  constructor({ engine, record, running, layers, like }: SandboxParts) {
    this.#like = like;
    this.#engine = engine;
    this.#record = record;
    this.#running = Promise.resolve(running);
    this.#layers = layers;
    this.#release = layers.map(layer => layer.hold());
  }

  /** The container's id, 64 hex digits; `tsbox ps` shows it, `tsbox exec` works on it. */
  get id(): string {
    return this.#record.id;
  }

  /** The container's name. */
  get name(): string {
    return this.#record.name;
  }

  /**
   * Runs a command to its end. A status that is not 0 is a result. Throws COMMAND_NOT_FOUND and COMMAND_NOT_EXECUTABLE, LAUNCH for a
   * `cwd` that is not there, ABORTED, USAGE, BAD_STATE once the sandbox has ended.
   */
  async exec(command: readonly string[], options: SandboxExecOptions = {}): Promise<SandboxResult> {
    return this.#use(running => execIn(running, this.#record.process.cwd, command, options));
  }

  /**
   * Writes a file as the sandbox's user, with the directories that are missing above it. Throws IO and NOT_FOUND, with what stands in
   * the way.
   */
  async writeFile(
    path: string,
    content: string | Uint8Array | AsyncIterable<string | Uint8Array>,
    options: SandboxWriteOptions = {},
  ): Promise<void> {
    const { mode, signal } = options;
    const streams = { stdin: content, ...(signal && { signal }) };
    await this.#use(running => perform(running, streams, [ops.put(inside(path), mode, 'the file')]));
  }

  /** Reads a file as the sandbox's user. Throws NOT_FOUND, IO; NO_SPACE for one over `maxBytes` (default 1 GiB). */
  async readFile(path: string, options: { maxBytes?: number; signal?: AbortSignal } = {}): Promise<Buffer> {
    const { maxBytes = 2 ** 30, signal } = options;
    if (maxBytes !== Number.POSITIVE_INFINITY) checkNumber('maxBytes', maxBytes);
    const limits = { maxOutputBytes: maxBytes, ...(signal && { signal }) };
    const { stdout, truncated } = await this.#use(running =>
      perform(running, limits, [ops.get(inside(path), 'the file')]),
    );
    if (!truncated) return stdout;
    throw new TsboxError('NO_SPACE', `${path} in the sandbox has more than ${maxBytes} bytes`, {
      hint: 'give a greater maxBytes, or copyOut it',
    });
  }

  /** docker's cp into the sandbox; see {@link Tsbox.copyIn}. Throws as it, and BAD_STATE when the sandbox has been closed. */
  async copyIn(
    source: string | NodeJS.ReadableStream,
    path: string,
    options: CopyOptions = {},
  ): Promise<CopyResult> {
    return this.#use(async () =>
      (await import('./copy.ts')).copyIn(this.#engine, source, this.id, path, options),
    );
  }

  /** docker's cp out of the sandbox; see {@link Tsbox.copyOut}. Throws as `copyIn`. */
  async copyOut(
    path: string,
    destination: string | NodeJS.WritableStream,
    options: CopyOptions = {},
  ): Promise<CopyResult> {
    return this.#use(async () =>
      (await import('./copy.ts')).copyOut(this.#engine, this.id, path, destination, options),
    );
  }

  /**
   * Keeps the files as they are now; nothing is copied, whatever their size. What commands have left in the background is ended, and
   * what lies in a tmpfs (/dev/shm, `tmpfs`) or in a volume is no part of it. The sandbox goes on with the same files: its next command
   * starts it anew. Throws BAD_STATE while a command or a copy is under way, STORAGE where the storage driver has no layers (`vfs`, `host`).
   */
  async snapshot(): Promise<Snapshot> {
    return this.#alone(async () => {
      const { layers, record } = await this.#freeze();
      return new Snapshot(layers, () => this.#like(this.#engine, record, layers));
    });
  }

  /** `snapshot`, then `count` sandboxes (default 1) that begin with it. They are closed one by one; see {@link Snapshot.start}. Throws as both. */
  async fork(count = 1): Promise<Sandbox[]> {
    const snapshot = await this.snapshot();
    try {
      return await snapshot.start(count);
    } finally {
      await snapshot.remove();
    }
  }

  /** Ends everything in it and removes it. Done once, however often it is asked for. Throws IO when its files cannot be removed. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #freeze(): Promise<{ layers: readonly SharedLayer[]; record: ContainerRecord }> {
    checkStacking(this.#record);
    if (this.#busy > 0)
      throw new TsboxError('BAD_STATE', `a command or a copy of sandbox ${this.name} is under way`, {
        hint: 'await it before the snapshot',
      });
    if (this.#frozen) return { layers: this.#layers, record: this.#record };
    const running = await this.#running;
    this.#running = undefined;
    await running?.server.close();
    const { layer, record } = await freeze(this.#engine, this.#record);
    this.#frozen = true;
    this.#record = record;
    this.#layers = [...this.#layers, layer];
    this.#release.push(layer.hold());
    return { layers: this.#layers, record };
  }

  async #end(): Promise<void> {
    await this.#changing;
    const running = await this.#running?.catch(() => undefined);
    const ended = await (running?.server.close() ?? Promise.resolve()).then(
      () => true,
      () => false,
    );
    try {
      const { remove } = await import('./remove.ts');
      await remove(this.#engine, this.id, { force: true, volumes: true, ended });
    } finally {
      await dropGroupOf(this.#engine, this.#record);
      for (const release of this.#release) await release();
    }
  }

  /** Does work in what runs. */
  async #use<T>(work: (running: RunningSandbox) => Promise<T>): Promise<T> {
    await this.#changing;
    if (this.#closed)
      throw new TsboxError('BAD_STATE', `sandbox ${this.name} has been closed`, {
        hint: 'make another one: tsbox.sandbox({ image })',
      });
    // In the same turn: a snapshot that is asked for after us looks in the next.
    this.#busy++;
    try {
      return await work(await (this.#running ?? this.#start()));
    } finally {
      this.#busy--;
    }
  }

  /** Pid 1, anew after a snapshot. What fails is tried again by the next who needs it. */
  #start(): Promise<RunningSandbox> {
    const start = this.#launch();
    this.#running = start;
    start.catch(() => {
      this.#running = undefined;
    });
    return start;
  }

  async #launch(): Promise<RunningSandbox> {
    const { prepareStorage } = await import('./rootfs.ts');
    await prepareStorage(this.#engine, this.#record);
    const running = await launchSandbox(this.#engine, this.#record);
    this.#frozen = false;
    return running;
  }

  /** One snapshot at a time, and no command meanwhile. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#changing;
    const mine = (async () => {
      await before;
      if (this.#closed) throw new TsboxError('BAD_STATE', `sandbox ${this.name} has been closed`);
      return work();
    })();
    this.#changing = mine.catch(() => {});
    return mine;
  }
}

function inside(path: string): string {
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw new TsboxError('USAGE', `${JSON.stringify(path)} is not an absolute path inside the sandbox`);
}
