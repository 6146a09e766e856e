import { loadConfig } from '../host/config.ts';
import { openPaths } from '../host/paths.ts';
import { silentReporter } from '../log.ts';
import type { Engine } from './context.ts';
import { Flat } from './flat.ts';
import { ObjectCalls } from './tsbox-objects.ts';
import type * as T from './types.ts';

/**
 * A store on this machine and everything that can be done with it. Each method is one use-case in its own file, loaded
 * when it is first called, so that opening costs little. No method prints, exits, or keeps global state.
 */
export class Tsbox extends ObjectCalls {
  readonly #engine: Engine;
  #sweeping: Promise<void> | undefined;

  private constructor(engine: Engine) {
    super(engine);
    this.#engine = engine;
  }

  /** Opens (and makes, 0700) the store. Throws STORE_VERSION, IO or STORAGE when it cannot be used. */
  static async open(options: T.OpenOptions = {}): Promise<Tsbox> {
    const config = await loadConfig(options.configFile);
    const paths = await openPaths(config, options);
    return new Tsbox({ config, paths, reporter: options.reporter ?? silentReporter, signal: options.signal });
  }

  /** Absolute path of the store. */
  get root(): string {
    return this.#engine.paths.root;
  }

  // Containers

  /** Makes a container without starting it; pulls what is missing. Returns its id. Throws NOT_FOUND, CONFLICT, USAGE, LIMIT and what `pull` throws. */
  async create(options: T.CreateOptions): Promise<string> {
    const id = await (await import('./create.ts')).create(this.#engine, options);
    await this.sweep();
    return id;
  }

  /** Makes and starts a container with the caller connected to it. Undone as a whole when the start fails. Throws as `create` and `start`. */
  async run(options: T.CreateOptions, attach: T.AttachOptions = {}): Promise<T.Attached> {
    const attached = await (await import('./run.ts')).run(this.#engine, options, attach);
    // Beside the command that runs now: it costs nobody time.
    void this.sweep();
    return attached;
  }

  /** Makes and starts a container in the background: returns the id once the command has been executed. Throws as `create` and `start`. */
  async runDetached(options: T.CreateOptions): Promise<string> {
    const id = await (await import('./run.ts')).runDetached(this.#engine, options);
    await this.sweep();
    return id;
  }

  /** Makes a container, runs it to its end and returns what it wrote; `input` is its stdin. A status that is not 0 is no error. Throws as `run`. */
  async capture(options: T.CreateOptions & { input?: string | Uint8Array }): Promise<T.CapturedResult> {
    return (await import('./run.ts')).capture(this.#engine, options);
  }

  /** Starts a created or exited container, detached; of one that runs nothing. Throws NOT_FOUND, LAUNCH, MOUNT, NETWORK, PORT, COMMAND_NOT_FOUND … */
  async start(container: string): Promise<void> {
    await (await import('./start.ts')).start(this.#engine, container);
  }

  /** Starts a container with the caller connected to it. Throws as `start`. */
  async startAttached(container: string, attach: T.AttachOptions = {}): Promise<T.Attached> {
    return (await import('./start.ts')).startAttached(this.#engine, container, attach);
  }

  /** Connects to a running container's streams. Throws NOT_FOUND or BAD_STATE. */
  async attach(container: string, attach: T.AttachOptions = {}): Promise<T.Attached> {
    return (await import('./attach.ts')).attach(this.#engine, container, attach);
  }

  /** Runs one more command in a running container, connected. Throws NOT_FOUND, BAD_STATE, USER, COMMAND_NOT_FOUND or COMMAND_NOT_EXECUTABLE. */
  async exec(container: string, options: T.ExecOptions, attach: T.AttachOptions = {}): Promise<T.Attached> {
    return (await import('./exec.ts')).exec(this.#engine, container, options, attach);
  }

  /** Runs one more command in a running container, in the background; nobody reads what it writes. Throws as `exec`. */
  async execDetached(container: string, options: T.ExecOptions): Promise<void> {
    await (await import('./exec.ts')).execDetached(this.#engine, container, options);
  }

  /** Stop signal, seconds of grace (both by default the container's), then SIGKILL. No error when it is not running. Throws NOT_FOUND, USAGE (a signal), BAD_STATE for what the kernel does not let go, ABORTED. */
  async stop(container: string, options: number | T.StopOptions = {}): Promise<void> {
    const asked = typeof options === 'number' ? { timeout: options } : options;
    await (await import('./stop.ts')).stop(this.#engine, container, asked);
  }

  /** Sends a signal, by name or number, to pid 1 of a container. Default: SIGKILL. Throws NOT_FOUND, and BAD_STATE when it is not running. */
  async kill(container: string, signal?: string): Promise<void> {
    await (await import('./kill.ts')).kill(this.#engine, container, signal);
  }

  /** No process of the container goes on until `unpause`. Throws NOT_FOUND, and BAD_STATE when it does not run or is paused already. */
  async pause(container: string): Promise<void> {
    await (await import('./pause.ts')).pauseContainer(this.#engine, container);
  }

  /** Stop, then start, whatever its restart policy. One with `--rm` stays. Throws as `stop` and `start`. */
  async restart(container: string, options: T.StopOptions = {}): Promise<void> {
    await (await import('./restart.ts')).restart(this.#engine, container, options);
  }

  /** What the supervisor's own call of tsbox does at the end of a `--rm` container without its client. Nothing for programs. */
  async autoRemove(id: string): Promise<void> {
    await (await import('./auto-remove.ts')).autoRemove(this.#engine, id);
  }

  /** What the supervisor's own call of tsbox does: starts a container again if its policy says so. Nothing for programs. */
  async afterEnd(id: string): Promise<void> {
    await (await import('./after-end.ts')).afterEnd(this.#engine, id);
  }

  /** What a container's health service calls: one check; milliseconds until the next, undefined when it has ended. Nothing for programs. */
  async checkHealth(id: string): Promise<number | undefined> {
    return (await import('./health.ts')).checkHealth(this.#engine, id);
  }

  /** A user unit that starts the container at boot. Throws NOT_FOUND. */
  async systemdUnit(container: string): Promise<T.SystemdUnit> {
    return (await import('./systemd-unit.ts')).systemdUnit(this.#engine, container);
  }

  /** Writes it where the user's systemd looks; returns its path. Throws NOT_FOUND, IO. */
  async writeSystemdUnit(container: string): Promise<string> {
    return (await import('./systemd-unit.ts')).writeSystemdUnit(this.#engine, container);
  }

  /** Published ports of a running container. Throws NOT_FOUND. */
  async ports(container: string): Promise<T.ContainerSummary['ports']> {
    return (await import('./port-change.ts')).publishedPorts(this.#engine, container);
  }

  /** docker's -p on a container that runs; at its next start it is published again. Returns what is new, with real ports. All of them or none. Throws NOT_FOUND, BAD_STATE when it does not run, USAGE, PORT. */
  async publish(container: string, specs: readonly string[]): Promise<T.ContainerSummary['ports']> {
    return (await import('./port-change.ts')).publishPorts(this.#engine, container, specs);
  }

  /** The opposite: `8080:80`, `127.0.0.1:8080:80/udp`, or `80` for all that lead there. Connections go on. Returns what is gone. Throws NOT_FOUND, also for a port that is not published, and BAD_STATE when it does not run. */
  async unpublish(container: string, specs: readonly string[]): Promise<T.ContainerSummary['ports']> {
    return (await import('./port-change.ts')).unpublishPorts(this.#engine, container, specs);
  }

  /** Gives a container another name. Throws NOT_FOUND, and CONFLICT when the name is taken. */
  async rename(container: string, name: string): Promise<void> {
    await (await import('./rename.ts')).rename(this.#engine, container, name);
  }

  /** Changes a container that exists; what runs goes on. Throws NOT_FOUND, USAGE, LIMIT, CONFLICT (a restart policy beside `--rm`). */
  async update(container: string, options: T.UpdateOptions): Promise<void> {
    await (await import('./update.ts')).update(this.#engine, container, options);
  }

  /** Its processes, as the host's ps shows them; `options` are those of ps. Throws NOT_FOUND, BAD_STATE when it does not run, USAGE for options that ps refuses. */
  async top(container: string, options: readonly string[] = []): Promise<T.ProcessTable> {
    return (await import('./top.ts')).top(this.#engine, container, options);
  }

  /** What containers use, one list per interval; without names all that run. Default: every 1000 ms. Throws NOT_FOUND, ABORTED. */
  async *stats(
    containers: readonly string[] = [],
    options: T.StatsOptions = {},
  ): AsyncGenerator<T.ContainerStats[]> {
    yield* (await import('./stats.ts')).stats(this.#engine, containers, options);
  }

  /** What has happened since a time, and what happens until another. Throws USAGE for an unknown filter, IO, ABORTED. */
  async *events(options: T.EventsOptions = {}): AsyncGenerator<T.EventRecord> {
    yield* (await import('./events.ts')).events(this.#engine, options);
  }

  /** The opposite of `pause`. Throws NOT_FOUND, and BAD_STATE when it is not paused. */
  async unpause(container: string): Promise<void> {
    await (await import('./pause.ts')).resumeContainer(this.#engine, container);
  }

  /** Resolves with the exit status, 128 + n for signal n, when the container has ended (at once if it has). Throws NOT_FOUND. */
  async wait(container: string): Promise<number> {
    return (await import('./wait.ts')).wait(this.#engine, container);
  }

  /** Removes a container that is not running, or any with `force`. `volumes`: its anonymous volumes too. Throws NOT_FOUND, BAD_STATE for one that runs or starts (without `force`), IO. */
  async remove(container: string, options: { force?: boolean; volumes?: boolean } = {}): Promise<void> {
    await (await import('./remove.ts')).remove(this.#engine, container, options);
    await this.sweep();
  }

  /** Running containers, or all. Newest first. Throws USAGE for an unknown filter or value, NOT_FOUND for `before` and `since` of nobody. */
  async containers(options: { all?: boolean; filters?: T.Filters } = {}): Promise<T.ContainerSummary[]> {
    return (await import('./ps.ts')).ps(this.#engine, options);
  }

  /** Log lines, oldest first; with `follow`, until the container has ended. Throws NOT_FOUND, USAGE (`tail`), BAD_STATE for one that keeps no log, ABORTED. */
  logs(container: string, options: T.LogsOptions = {}): AsyncGenerator<T.LogLine, void> {
    return new Flat(this.#logBatches(container, options));
  }

  async *#logBatches(container: string, options: T.LogsOptions): AsyncGenerator<T.LogLine[], void> {
    yield* (await import('./logs.ts')).logBatches(this.#engine, container, options);
  }

  /** docker's inspect object of a container. Throws NOT_FOUND, USAGE (ambiguous), STORE_CORRUPT, STORE_VERSION, IO. */
  async inspectContainer(container: string): Promise<Record<string, unknown>> {
    return (await import('./inspect.ts')).inspectContainer(this.#engine, container);
  }

  /** What `run` would do, as text: every namespace, map, mount and operation with its reason. Changes nothing but a pull. Throws as `run` does before anything is started. */
  async explain(options: T.CreateOptions): Promise<string> {
    return (await import('./explain.ts')).explain(this.#engine, options);
  }

  /**
   * docker's cp into a container, running or not: `source` is a path of this machine or a stream with a tar archive, `path` is inside,
   * resolved beneath the container's root. Throws NOT_FOUND, USAGE or CONFLICT for what docker's rules refuse, IO.
   */
  async copyIn(
    source: string | NodeJS.ReadableStream,
    container: string,
    path: string,
    options: T.CopyOptions = {},
  ): Promise<T.CopyResult> {
    return (await import('./copy.ts')).copyIn(this.#engine, source, container, path, options);
  }

  /** docker's cp out of a container: to a path of this machine, as files of the caller, or as a tar archive into a stream (left open). Throws as `copyIn`. */
  async copyOut(
    container: string,
    path: string,
    destination: string | NodeJS.WritableStream,
    options: T.CopyOptions = {},
  ): Promise<T.CopyResult> {
    return (await import('./copy.ts')).copyOut(this.#engine, container, path, destination, options);
  }

  /** Writes a container's root file system, without what is mounted in it, as a tar archive: a file, or a stream, left open. Throws NOT_FOUND, IO. */
  async export(container: string, output: string | NodeJS.WritableStream): Promise<void> {
    await (await import('./export.ts')).exportContainer(this.#engine, container, output);
  }

  // Images

  /** Downloads an image. Throws BAD_REFERENCE, NOT_FOUND, UNAUTHORIZED, REGISTRY, DIGEST, PLATFORM, SIGNATURE, NO_SPACE or ABORTED. */
  async pull(reference: string, options: T.PullOptions = {}): Promise<T.PullResult> {
    return (await import('./pull.ts')).pull(this.#engine, reference, options);
  }

  /** Pulls every tag of a repository, one after another. Throws as `pull`, NOT_FOUND for a repository without tags. */
  async pullAll(repository: string, options: T.PullOptions = {}): Promise<T.PullResult[]> {
    return (await import('./pull-all.ts')).pullAll(this.#engine, repository, options);
  }

  /** Uploads an image to the registry that its name says. Throws NOT_FOUND, UNAUTHORIZED, REGISTRY or PLATFORM. */
  async push(reference: string, options: T.PushOptions = {}): Promise<T.PushResult> {
    return (await import('./push.ts')).push(this.#engine, reference, options);
  }

  /** Pushes every tag of a repository that is here. Throws as `push`. */
  async pushAll(repository: string, options: T.PushOptions = {}): Promise<T.PushResult[]> {
    return (await import('./push.ts')).pushAll(this.#engine, repository, options);
  }

  /** Asks a registry whether it takes credentials, and keeps them. Throws UNAUTHORIZED or REGISTRY. */
  async login(options: T.LoginOptions = {}): Promise<T.LoginResult> {
    return (await import('./login.ts')).login(this.#engine, options);
  }

  /** Forgets a registry's credentials (default docker.io's). Throws HOST, IO, USAGE. */
  async logout(registry?: string): Promise<T.LogoutResult> {
    return (await import('./login.ts')).logout(this.#engine, registry);
  }

  /** Repositories on docker.io, or with `host/term` on another registry. Throws USAGE, REGISTRY, UNAUTHORIZED. */
  async search(term: string, options: T.SearchOptions = {}): Promise<T.SearchResult[]> {
    return (await import('./search.ts')).search(this.#engine, term, options);
  }

  /** Loads a docker-archive or OCI archive or layout; returns the names (or ids) of what was loaded. Throws LAYER, MANIFEST, DIGEST, NO_SPACE, IO; then nothing of it is listed. */
  async load(input: NodeJS.ReadableStream | string, options: T.LoadOptions = {}): Promise<string[]> {
    return (await import('./load.ts')).load(this.#engine, input, options);
  }

  /** Writes images to a stream, a file or (`oci-dir`) a directory. A stream is left open. Throws NOT_FOUND, CONFLICT, USAGE, STORE_CORRUPT, NO_SPACE, IO; then nothing half-made stays. */
  async save(
    references: readonly string[],
    target: NodeJS.WritableStream | string,
    options: T.SaveOptions = {},
  ): Promise<void> {
    await (await import('./save.ts')).save(this.#engine, references, target, options);
  }

  /** Makes an image of one layer from a root tarball. Returns its id. Throws LAYER, BAD_REFERENCE, USAGE (a change), NO_SPACE, IO. */
  async import(
    input: NodeJS.ReadableStream,
    reference?: string,
    options: T.ImportOptions = {},
  ): Promise<string> {
    return (await import('./import.ts')).importImage(this.#engine, input, reference, options);
  }

  /** Images of the store, the newest first. Throws USAGE for an unknown filter or value, NOT_FOUND for `before` and `since` of nobody. */
  async images(options: T.ImagesOptions = {}): Promise<T.ImageSummary[]> {
    return (await import('./images.ts')).images(this.#engine, options);
  }

  /** One more name for an image; another image that has it loses it. Throws NOT_FOUND or BAD_REFERENCE. */
  async tag(source: string, target: string): Promise<void> {
    await (await import('./tag.ts')).tag(this.#engine, source, target);
  }

  /** Takes names away from an image, all of them if none is given; the image stays. Throws NOT_FOUND, BAD_REFERENCE. */
  async untag(image: string, names: readonly string[] = []): Promise<void> {
    await (await import('./untag.ts')).untag(this.#engine, image, names);
  }

  /** What a container changed in its root file system. Throws NOT_FOUND. */
  async diff(container: string): Promise<T.FileChange[]> {
    return (await import('./diff.ts')).diff(this.#engine, container);
  }

  /** Makes an image of a container. Returns its id. Throws NOT_FOUND, USAGE for a change that is none, NO_SPACE. */
  async commit(container: string, options: T.CommitOptions = {}): Promise<string> {
    return (await import('./commit.ts')).commit(this.#engine, container, options);
  }

  /** docker build; what happens is told to `options.onEvent`. Throws DOCKERFILE, BUILD (an instruction failed), USAGE, ABORTED, and what `pull` throws. */
  async build(options: T.BuildOptions = {}): Promise<T.BuildResult> {
    return (await import('./build.ts')).build(this.#engine, options);
  }

  /** Forgets the steps of builds. Throws USAGE, IO. */
  async pruneBuilds(options: T.PruneOptions = {}): Promise<T.Pruned> {
    return (await import('./build-prune.ts')).pruneBuilds(this.#engine, options);
  }

  /** How an image was made, the newest step first. Throws NOT_FOUND. */
  async history(reference: string): Promise<T.ImageHistoryEntry[]> {
    return (await import('./history.ts')).history(this.#engine, reference);
  }

  /** docker's rmi: a name goes, with the last one the image. Throws NOT_FOUND, and CONFLICT while it is in use (see `force`). */
  async removeImage(reference: string, options: { force?: boolean } = {}): Promise<T.RemovedImage> {
    const removed = await (await import('./rmi.ts')).rmi(this.#engine, reference, options);
    await this.sweep();
    return removed;
  }

  /** docker's inspect object of an image. Throws NOT_FOUND, BAD_REFERENCE, STORE_CORRUPT. */
  async inspectImage(reference: string): Promise<Record<string, unknown>> {
    return (await import('./inspect.ts')).inspectImage(this.#engine, reference);
  }

  /** Removes containers that do not run. Throws USAGE, IO. */
  async pruneContainers(options: T.PruneOptions = {}): Promise<T.Pruned> {
    return (await import('./prune-containers.ts')).pruneContainers(this.#engine, options);
  }

  /** Removes images that no container was made from: those without a name, or all. Throws USAGE, STORE_CORRUPT, IO. */
  async pruneImages(options: T.PruneOptions = {}): Promise<T.Pruned> {
    const pruned = await (await import('./prune-images.ts')).pruneImages(this.#engine, options);
    await this.sweep();
    return pruned;
  }

  /** Compares what the store holds with what it says of itself, and mends what can be mended. Throws IO when the store cannot be read at all. */
  async check(options: T.CheckOptions = {}): Promise<T.Finding[]> {
    return (await import('./check.ts')).check(this.#engine, options);
  }

  /** What the store takes on disk. Throws STORE_CORRUPT, IO. */
  async diskUsage(): Promise<T.DiskUsage> {
    return (await import('./df.ts')).diskUsage(this.#engine);
  }

  /**
   * Removes what killed commands left behind: half-made containers, work directories nobody holds, `--rm` containers that
   * ended with nobody there. A few directory listings when there is nothing to do; never throws. `run`, `create` and
   * `remove` end with it.
   */
  override async sweep(): Promise<void> {
    // Several removals at once need one sweep.
    this.#sweeping ??= import('./sweep.ts')
      .then(({ sweep }) => sweep(this.#engine))
      .finally(() => {
        this.#sweeping = undefined;
      });
    await this.#sweeping;
  }
}
