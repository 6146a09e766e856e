import { abortable, until } from './abortable.ts';
import type { Engine } from './context.ts';
import { Flat } from './flat.ts';
import type * as T from './types.ts';

/** Calls that may be called off: they reject with ABORTED then. */
export interface Cancellable {
  /** Default: never called off. */
  signal?: AbortSignal;
}

/**
 * One container and what can be done with it, by {@link Tsbox.container} or {@link Tsbox.createContainer}. It holds nothing open: the
 * container lives as it would without this object, unless it is disposed of (`await using`), which kills and removes it.
 *
 * Every method throws NOT_FOUND when the container is gone, and IO when the store cannot be read or written.
 */
export class Container implements AsyncDisposable {
  readonly #engine: Engine;
  /** 64 hex digits. */
  readonly id: string;

  /** For the engine alone. */
  constructor(engine: Engine, id: string) {
    this.#engine = engine;
    this.id = id;
  }

  /** Starts it, detached. Nothing to do when it runs. Throws what the step of the start that failed says (LAUNCH, MOUNT, PORT …). */
  async start(): Promise<void> {
    await (await import('./start.ts')).start(this.#engine, this.id);
  }

  /** Starts it with its streams given back (`stdio: 'pipe'`, the default here). Throws as `start`. */
  async startAttached(options: T.AttachOptions = {}): Promise<T.Attached> {
    const { startAttached } = await import('./start.ts');
    return startAttached(this.#engine, this.id, { stdio: 'pipe', ...options });
  }

  /** Connects to the streams of its command (`stdio: 'pipe'`, the default here). Throws BAD_STATE when it does not run. */
  async attach(options: T.AttachOptions = {}): Promise<T.Attached> {
    return (await import('./attach.ts')).attach(this.#engine, this.id, { stdio: 'pipe', ...options });
  }

  /**
   * Runs one more command in it, with its streams given back (`stdio: 'pipe'`, the default here). Throws BAD_STATE when it does not run,
   * COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, USER, USAGE.
   */
  async exec(options: T.ExecOptions, attach: T.AttachOptions = {}): Promise<T.Attached> {
    const { exec } = await import('./exec.ts');
    return exec(this.#engine, this.id, options, { stdio: 'pipe', ...attach });
  }

  /** Runs one more command to its end and collects both streams. Throws as `exec`, ABORTED. */
  async output(
    options: T.ExecOptions & { input?: string | Uint8Array },
    { signal }: Cancellable = {},
  ): Promise<T.CapturedResult> {
    const { input, ...exec } = options;
    const attached = await this.exec({ ...exec, interactive: input !== undefined });
    const { captured } = await import('./run.ts');
    return abortable(captured(attached, input), signal, () => attached.kill('SIGKILL'));
  }

  /** Log lines, the oldest first; with `follow` until it has ended or `signal` aborts. Throws USAGE (`tail`), BAD_STATE for one that keeps no log. */
  logs(options: T.LogsOptions & Cancellable = {}): AsyncGenerator<T.LogLine, void> {
    return new Flat(this.#logBatches(options));
  }

  async *#logBatches({ signal, ...options }: T.LogsOptions & Cancellable): AsyncGenerator<T.LogLine[], void> {
    const { logBatches } = await import('./logs.ts');
    yield* until(logBatches(this.#engine, this.id, options), signal);
  }

  /** Resolves with its exit status when it has ended, at once if it has. Throws ABORTED. */
  async wait({ signal }: Cancellable = {}): Promise<number> {
    return abortable((await import('./wait.ts')).wait(this.#engine, this.id), signal);
  }

  /** Stop signal, seconds of grace (both by default the container's), then SIGKILL. No error when it does not run. Throws USAGE (a signal), ABORTED. */
  async stop(options: T.StopOptions = {}): Promise<void> {
    await (await import('./stop.ts')).stop(this.#engine, this.id, options);
  }

  /** Signals its first process, by default with SIGKILL. Throws BAD_STATE when it does not run, USAGE. */
  async kill(signal?: string): Promise<void> {
    await (await import('./kill.ts')).kill(this.#engine, this.id, signal);
  }

  /** `stop`, then `start`. Throws as {@link Tsbox.start}. */
  async restart(options: T.StopOptions = {}): Promise<void> {
    await (await import('./restart.ts')).restart(this.#engine, this.id, options);
  }

  /** No process of it goes on until `unpause`. Throws BAD_STATE when it does not run, or is paused. */
  async pause(): Promise<void> {
    await (await import('./pause.ts')).pauseContainer(this.#engine, this.id);
  }

  /** Ends a pause. Throws BAD_STATE when it is not paused. */
  async unpause(): Promise<void> {
    await (await import('./pause.ts')).resumeContainer(this.#engine, this.id);
  }

  /** docker's cp into it: `source` is a path of this machine, or a stream with a tar archive. Throws NOT_FOUND, USAGE, CONFLICT. */
  async copyIn(
    source: string | NodeJS.ReadableStream,
    path: string,
    options: T.CopyOptions = {},
  ): Promise<T.CopyResult> {
    return (await import('./copy.ts')).copyIn(this.#engine, source, this.id, path, options);
  }

  /** docker's cp out of it: to a path of this machine, or as a tar archive into a stream, left open. Throws as `copyIn`. */
  async copyOut(
    path: string,
    destination: string | NodeJS.WritableStream,
    options: T.CopyOptions = {},
  ): Promise<T.CopyResult> {
    return (await import('./copy.ts')).copyOut(this.#engine, this.id, path, destination, options);
  }

  /** What it has changed in its root file system. Throws NOT_FOUND when it is gone, IO. */
  async diff(): Promise<T.FileChange[]> {
    return (await import('./diff.ts')).diff(this.#engine, this.id);
  }

  /** Makes an image of it; returns the image's id. Throws NO_SPACE, BAD_REFERENCE, DOCKERFILE for a change that is none. */
  async commit(options: T.CommitOptions = {}): Promise<string> {
    return (await import('./commit.ts')).commit(this.#engine, this.id, options);
  }

  /** What it uses: one sample per interval (default 1000 ms) until it ends, the caller leaves, or `signal` aborts. Throws NOT_FOUND when it is gone. */
  async *stats({
    signal,
    ...options
  }: T.StatsOptions & Cancellable = {}): AsyncGenerator<T.ContainerStats, void> {
    const { stats } = await import('./stats.ts');
    for await (const samples of until(stats(this.#engine, [this.id], options), signal)) yield* samples;
  }

  /** Its processes, as the host's ps shows them; `options` are those of ps. Throws BAD_STATE when it does not run. */
  async top(options: readonly string[] = []): Promise<T.ProcessTable> {
    return (await import('./top.ts')).top(this.#engine, this.id, options);
  }

  /** docker's inspect object of it. Throws NOT_FOUND when it is gone, IO. */
  async inspect(): Promise<Record<string, unknown>> {
    return (await import('./inspect.ts')).inspectContainer(this.#engine, this.id);
  }

  /** Its line of `ps`: status, ports, exit status. Throws NOT_FOUND when it is gone. */
  async summary(): Promise<T.ContainerSummary> {
    const { ps } = await import('./ps.ts');
    const [found] = await ps(this.#engine, { all: true, filters: { id: [this.id] } });
    if (found) return found;
    const { findContainer } = await import('../store/containers.ts');
    await findContainer(this.#engine.paths, this.id);
    throw new (await import('../errors.ts')).TsboxError('NOT_FOUND', `no such container: ${this.id}`);
  }

  /** Gives it another name. Throws CONFLICT when that is taken, USAGE. */
  async rename(name: string): Promise<void> {
    await (await import('./rename.ts')).rename(this.#engine, this.id, name);
  }

  /** Removes it; default: only if it does not run (else BAD_STATE). `force` kills it first; `volumes`: its anonymous ones too. */
  async remove(options: { force?: boolean; volumes?: boolean } = {}): Promise<void> {
    await (await import('./remove.ts')).remove(this.#engine, this.id, options);
  }

  /** Kills and removes it with its anonymous volumes, for `await using`. No error when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove({ force: true, volumes: true }).catch((error: { code?: string }) => {
      if (error.code !== 'NOT_FOUND') throw error;
    });
  }
}
