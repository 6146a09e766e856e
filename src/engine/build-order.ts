import { DEFAULT_PATH } from '../build/execute-config.ts';
import type { Stage } from '../build/types.ts';
import { TsboxError } from '../errors.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { SessionParts } from './build.ts';
import { baseOf, scratch } from './build-image.ts';
import type { BuildSession, StageResult } from './build-session.ts';
import { buildStage } from './build-stage.ts';
import { ensureImage } from './pull.ts';

/** Builds the target and what it needs: stages that do not need each other at the same time. The first failure ends the others. */
export async function buildStages(parts: SessionParts): Promise<StageResult> {
  const stop = new AbortController();
  const { signal } = parts.engine;
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const session = new Session({ ...parts, engine: { ...parts.engine, signal: both } });
  const { order, target, stages } = parts.graph;
  const all = order.map(index => session.stage(index));
  try {
    await Promise.all(all);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(all);
    if (signal?.aborted) throw cancelled(signal.reason);
    throw error;
  }
  if (!stages[target]) throw new TsboxError('INTERNAL', `there is no stage ${target}`);
  return session.stage(target);
}

/** The command line's reason is an error of ours already; a program's may be anything. */
const cancelled = (reason: unknown): TsboxError =>
  reason instanceof TsboxError
    ? reason
    : new TsboxError('ABORTED', 'the build was cancelled', { cause: reason });

class Session implements BuildSession {
  readonly engine: BuildSession['engine'];
  readonly options: BuildSession['options'];
  readonly graph: BuildSession['graph'];
  readonly buildArgs: BuildSession['buildArgs'];
  readonly platform: BuildSession['platform'];
  readonly driver: BuildSession['driver'];
  readonly cache: BuildSession['cache'];
  readonly progress: BuildSession['progress'];
  readonly epoch: BuildSession['epoch'];
  readonly context: BuildSession['context'];
  readonly imageContext: BuildSession['imageContext'];
  readonly #stages = new Map<number, Promise<StageResult>>();
  readonly #images = new Map<string, Promise<StageResult>>();
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(parts: SessionParts) {
    this.engine = parts.engine;
    this.options = parts.options;
    this.graph = parts.graph;
    this.buildArgs = parts.buildArgs;
    this.platform = parts.platform;
    this.driver = parts.driver;
    this.cache = parts.cache;
    this.progress = parts.progress;
    this.epoch = parts.epoch;
    this.context = parts.context;
    this.imageContext = parts.imageContext;
    this.#free = parts.jobs;
  }

  stage(index: number): Promise<StageResult> {
    const known = this.#stages.get(index);
    if (known) return known;
    const stage = this.graph.stages[index];
    const made = stage ? this.#build(stage) : Promise.reject(new TsboxError('INTERNAL', `no stage ${index}`));
    made.catch(() => {});
    this.#stages.set(index, made);
    return made;
  }

  image(reference: string, platform?: string): Promise<StageResult> {
    const key = `${platform ?? ''} ${reference}`;
    const known = this.#images.get(key);
    if (known) return known;
    const found = this.#pull(reference, platform);
    found.catch(() => {});
    this.#images.set(key, found);
    return found;
  }

  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>(resolve => this.#waiting.push(resolve));
    else this.#free--;
    try {
      this.engine.signal?.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  async #build(stage: Stage): Promise<StageResult> {
    return buildStage(this, stage, await this.#base(stage));
  }

  async #base({ base, platform, from }: Stage): Promise<StageResult> {
    if (base.kind === 'stage') return this.stage(base.index);
    if (base.kind === 'scratch') return scratch(this.platform, DEFAULT_PATH);
    const reference = base.kind === 'image' ? base.reference : this.imageContext(base.name);
    if (reference === undefined) {
      throw new TsboxError('DOCKERFILE', `FROM ${from.image}: a directory cannot be a base`, {
        hint: 'give an image: --build-context NAME=docker-image://REFERENCE',
      });
    }
    return this.image(reference, platform);
  }

  async #pull(reference: string, asked: string | undefined): Promise<StageResult> {
    const { engine, options, progress, platform } = this;
    const step = progress.begin(`[internal] load metadata for ${reference}`);
    const wanted = asked ?? (options.platform === undefined ? undefined : formatPlatform(platform));
    try {
      const image = await ensureImage(engine, reference, {
        policy: options.pull ? 'always' : 'missing',
        ...(wanted !== undefined && { platform: wanted }),
        onProgress: event =>
          progress.emit({ type: 'step-progress', step: step.number, time: Date.now(), ...event }),
      });
      const base = await baseOf(engine, image);
      step.done(false);
      return base;
    } catch (error) {
      if (engine.signal?.aborted) step.cancelled();
      else step.failed((error as Error).message);
      throw error;
    }
  }
}
