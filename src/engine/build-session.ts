import type { BuildContext, BuildEvent, BuildOptions, StageGraph } from '../build/types.ts';
import type { HistoryEntry, RunConfig } from '../oci/config.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import type { BuildCache } from '../store/build-cache.ts';
import type { Engine } from './context.ts';

/** One build while it goes on. */
export interface BuildSession {
  readonly engine: Engine;
  readonly options: BuildOptions;
  readonly graph: StageGraph;
  /** `--build-arg`, values found. */
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly platform: Platform;
  readonly driver: StorageDriverName;
  readonly cache: BuildCache;
  readonly progress: Progress;
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch: number | undefined;
  /** The main context, or one of --build-context that is a directory. Opened once. */
  context(name?: string): Promise<BuildContext>;
  /** The image that a --build-context stands for; undefined for one that is a directory. */
  imageContext(name: string): string | undefined;
  /** The result of a stage; each is built once. */
  stage(index: number): Promise<StageResult>;
  /** The image behind a reference, pulled if need be. */
  image(reference: string, platform?: string): Promise<StageResult>;
  /** Runs `work` when one of the session's places is free. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** What a stage, or a base image, amounts to. */
export interface StageResult {
  /** Diff ids, base first, and the archives of the same layers. */
  readonly layers: readonly string[];
  readonly descriptors: readonly Descriptor[];
  /** How many of them are the base image's. */
  readonly baseLayers: number;
  readonly config: RunConfig;
  readonly history: readonly HistoryEntry[];
  readonly author?: string;
  /** Fields of the base image's config that nobody here knows. */
  readonly document: object;
  /** RFC 3339; of the last step that made something. */
  readonly created?: string;
  readonly platform: Platform;
}

/** Numbers the steps and tells of them. */
export class Progress {
  readonly #emit: (event: BuildEvent) => void;
  #steps = 0;

  constructor(emit: (event: BuildEvent) => void) {
    this.#emit = emit;
  }

  emit(event: BuildEvent): void {
    this.#emit(event);
  }

  begin(title: string, more: Pick<StepStart, 'stage' | 'range'> = {}): Step {
    const step = ++this.#steps;
    this.#emit({ type: 'step-start', step, time: Date.now(), title, ...more });
    return new Step(step, this.#emit);
  }
}

type StepStart = Extract<BuildEvent, { type: 'step-start' }>;

export class Step {
  readonly number: number;
  readonly #emit: (event: BuildEvent) => void;

  constructor(number: number, emit: (event: BuildEvent) => void) {
    this.number = number;
    this.#emit = emit;
  }

  log(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    this.#emit({ type: 'step-log', step: this.number, time: Date.now(), stream, data });
  }

  done(cached: boolean): void {
    this.#emit({ type: 'step-done', step: this.number, time: Date.now(), cached });
  }

  failed(message: string, exitCode?: number): void {
    const status = exitCode === undefined ? {} : { exitCode };
    this.#emit({ type: 'step-failed', step: this.number, time: Date.now(), message, ...status });
  }

  cancelled(): void {
    this.#emit({ type: 'step-cancelled', step: this.number, time: Date.now() });
  }
}
