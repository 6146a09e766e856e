import {
  applyConfig,
  commandWords,
  historyText,
  runHistory,
  type StageConfig,
  workdirOf,
} from '../build/execute-config.ts';
import type { Instruction, RunInstruction } from '../build/instructions.ts';
import { parseTrigger } from '../build/parse.ts';
import type { ContentSource, Stage } from '../build/types.ts';
import { StageScope } from '../build/variables.ts';
import { messageOf, TsboxError } from '../errors.ts';
import { packMembers } from '../layer/build-members.ts';
import type { HistoryEntry } from '../oci/config.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { BuildCache } from '../store/build-cache.ts';
import { type CachedStep, cachedLayer, hasShape, keepShape, keepStep, stepNote } from './build-cached.ts';
import { layersOf, newMember, prepareCopy } from './build-copy.ts';
import { addLayer, type BuiltLayer } from './build-layer.ts';
import { ownerOf } from './build-owner.ts';
import { lowerTree } from './build-pick.ts';
import { runStep } from './build-run.ts';
import { prepareMounts } from './build-run-mounts.ts';
import type { BuildSession, StageResult, Step } from './build-session.ts';

/** Builds one stage, instruction after instruction. */
export async function buildStage(
  session: BuildSession,
  stage: Stage,
  base: StageResult,
): Promise<StageResult> {
  return new StageBuilder(session, stage, base).build();
}

/** What a step with a layer depends on, and how it is made. */
interface LayerStep {
  /** Reads files where they have not been read by `make`. */
  inputs(): unknown;
  /** What is known before files are read: a step without its like can be in no cache. Absent: all is known. */
  readonly shape?: unknown;
  readonly text: string;
  /** Absent: no layer. */
  make(step: Step): Promise<BuiltLayer | undefined>;
  close?(): Promise<void>;
}

interface Remark {
  readonly created?: string | undefined;
  readonly note?: string;
}

class StageBuilder {
  readonly #session: BuildSession;
  readonly #stage: Stage;
  readonly #base: StageResult;
  readonly #scope: StageScope;
  #layers: readonly string[];
  #descriptors: readonly Descriptor[];
  #history: readonly HistoryEntry[];
  #config: StageConfig;
  #created: string | undefined;
  #number = 1;
  readonly #total: number;

  constructor(session: BuildSession, stage: Stage, base: StageResult) {
    this.#session = session;
    this.#stage = stage;
    this.#base = base;
    const { dockerfile, globals } = session.graph;
    const { buildArgs } = session;
    this.#scope = new StageScope({ dockerfile, env: base.config.Env ?? [], globals, buildArgs });
    this.#layers = base.layers;
    this.#descriptors = base.descriptors;
    this.#history = base.history;
    const { OnBuild: _, ...config } = base.config;
    this.#config = { config, hasCommand: false, ...(base.author !== undefined && { author: base.author }) };
    this.#created = base.created;
    this.#total = 1 + stage.instructions.filter(makesLayer).length;
  }

  async build(): Promise<StageResult> {
    const triggers = (this.#base.config.OnBuild ?? []).map(parseTrigger);
    for (const instruction of [...triggers, ...this.#stage.instructions])
      await this.#instruction(instruction);
    const { author, config } = this.#config;
    return {
      layers: this.#layers,
      baseLayers: this.#base.baseLayers,
      descriptors: this.#descriptors,
      config,
      history: this.#history,
      document: this.#base.document,
      platform: this.#base.platform,
      ...(author !== undefined && { author }),
      ...(this.#created !== undefined && { created: this.#created }),
    };
  }

  async #instruction(written: Instruction): Promise<void> {
    const instruction = this.#scope.resolve(written);
    this.#scope.apply(instruction);
    if (makesLayer(instruction)) await this.#layerStep(instruction);
    else this.#remember(historyText(instruction), true);
    this.#config = applyConfig(this.#config, instruction, this.#scope.env);
  }

  #remember(text: string, empty: boolean, { created = this.#created, note }: Remark = {}): void {
    const time = this.#time(created);
    this.#created = time;
    const entry = {
      created: time,
      created_by: text,
      ...(empty && { empty_layer: true }),
      ...(note !== undefined && { comment: note }),
    };
    this.#history = [...this.#history, entry];
  }

  #time(created: string | undefined): string {
    const { epoch } = this.#session;
    if (epoch !== undefined) return new Date(epoch * 1000).toISOString();
    return created ?? new Date().toISOString();
  }

  async #layerStep(instruction: Instruction): Promise<void> {
    const { progress, graph } = this.#session;
    await this.#awaitSources(instruction);
    const label = graph.stages.length > 1 ? `${this.#stage.name} ` : '';
    const title = `[${label}${++this.#number}/${this.#total}] ${instruction.text}`;
    const step = progress.begin(title, { stage: this.#stage.name, range: instruction.range });
    try {
      step.done(await this.#do(await this.#prepare(instruction), step));
    } catch (error) {
      throw told(this.#session, step, error);
    }
  }

  /** Stages that it copies from are built first: a step begins when it can go on. */
  async #awaitSources(instruction: Instruction): Promise<void> {
    if (instruction.keyword !== 'COPY' || instruction.from === undefined) return;
    await layersOf(this.#session, this.#source(instruction.from, instruction));
  }

  /** True when it came from the cache. */
  async #do(work: LayerStep, step: Step): Promise<boolean> {
    const session = this.#session;
    try {
      const cached = this.#mayBeCached ? await this.#cached(work) : undefined;
      if (cached) {
        this.#take(work, cached);
        return true;
      }
      const layer = await session.inTurn(() => work.make(step));
      const created = new Date().toISOString();
      await keepStep(session, BuildCache.key(work.inputs()), { layer, text: work.text, created });
      if (work.shape !== undefined) await keepShape(session, work);
      this.#take(work, { layer, created });
      return false;
    } finally {
      await work.close?.();
    }
  }

  async #cached(work: LayerStep): Promise<CachedStep | undefined> {
    const isHere = work.shape === undefined || (await hasShape(this.#session, work.shape));
    const cached = isHere ? await cachedLayer(this.#session, BuildCache.key(work.inputs())) : undefined;
    if (cached || !this.#session.options.cacheFrom?.length) return cached;
    const place = { layers: this.#layers, history: this.#history };
    const { fromImages } = await import('./build-cache-from.ts');
    return fromImages(this.#session, place, { text: work.text, key: BuildCache.key(work.inputs()) });
  }

  get #mayBeCached(): boolean {
    const { noCache, noCacheFilter } = this.#session.options;
    if (noCacheFilter === undefined) return !noCache;
    return !noCacheFilter.includes(this.#stage.name);
  }

  #take(work: LayerStep, { layer, created }: CachedStep): void {
    if (layer) {
      this.#layers = [...this.#layers, layer.diffId];
      this.#descriptors = [...this.#descriptors, layer.descriptor];
    }
    const note = layer && stepNote(BuildCache.key(work.inputs()));
    this.#remember(work.text, layer === undefined, { created, ...(note !== undefined && { note }) });
  }

  async #prepare(instruction: Instruction): Promise<LayerStep> {
    if (instruction.keyword === 'RUN') return this.#run(instruction);
    if (instruction.keyword === 'WORKDIR') return this.#workdir(instruction.value);
    if (instruction.keyword !== 'COPY' && instruction.keyword !== 'ADD')
      throw new TsboxError('INTERNAL', `${instruction.keyword} makes no layer`);
    const from = instruction.keyword === 'COPY' ? instruction.from : undefined;
    const source = from === undefined ? undefined : this.#source(from, instruction);
    const place = { layers: this.#layers, workdir: this.#config.config.WorkingDir ?? '/' };
    const copy = await prepareCopy(this.#session, instruction, source, place);
    const { epoch } = this.#session;
    const below = copy.link ? [] : this.#layers;
    return {
      inputs: () => [2, 'copy', below, copy.inputs(), epoch],
      shape: [2, 'shape', below, copy.shape, epoch],
      text: instruction.text,
      make: () => copy.make(),
      close: () => copy.close(),
    };
  }

  #source(from: string, instruction: Instruction): ContentSource {
    return this.#session.graph.sourceOf(this.#stage.index, from, instruction);
  }

  async #run(instruction: RunInstruction): Promise<LayerStep> {
    const { options, epoch, platform } = this.#session;
    const { config } = this.#config;
    const script = instruction.script && `/dev/.tsbox-script-${instruction.script.name}`;
    const args = script ? [script] : commandWords(instruction.command, config);
    const mounts = await prepareMounts(this.#session, {
      mounts: this.#scope.mounts(instruction),
      source: from => this.#source(from, instruction),
      workdir: config.WorkingDir ?? '/',
      ...(instruction.script && script && { script: { path: script, content: instruction.script.content } }),
    });
    const network = networkOf(instruction, options);
    const privileged = securityOf(instruction, options);
    const { User: user, WorkingDir: workdir } = config;
    const env = this.#scope.runEnvironment();
    const known = [...this.#scope.env, ...pairs(this.#scope.args)];
    const inputs = [
      1,
      'run',
      this.#layers,
      { args, env: known, user, workdir, network, privileged, epoch, platform, mounts: mounts.inputs },
    ];
    return {
      inputs: () => inputs,
      text: runHistory(this.#scope.args, script ? [instruction.text.replace(/^RUN\s+/i, '')] : args),
      make: step =>
        mounts.use(real =>
          runStep(this.#session, step, {
            layers: this.#layers,
            args,
            env,
            config,
            network,
            privileged,
            mounts: real,
          }),
        ),
    };
  }

  #workdir(value: string): LayerStep {
    const path = workdirOf(this.#config.config, value);
    const { User: user = '' } = this.#config.config;
    const { epoch } = this.#session;
    const layers = this.#layers;
    const inputs = [1, 'workdir', layers, { path, user, epoch }];
    const make = async (): Promise<BuiltLayer | undefined> => {
      if (isDirectory(this.#session, layers, path)) return undefined;
      const owner = user === '' ? { uid: 0, gid: 0 } : ownerOf(this.#session, layers, user);
      const request = { layers, destination: path, owner, ...(epoch !== undefined && { epoch }) };
      return addLayer(this.#session.engine, request, begun =>
        packMembers(begun.exists ? [] : [newMember(`${begun.path}/`, 'dir', 0o755, owner)]),
      );
    };
    return { inputs: () => inputs, text: `WORKDIR ${path}`, make };
  }
}

const makesLayer = ({ keyword }: Instruction): boolean => ['RUN', 'COPY', 'ADD', 'WORKDIR'].includes(keyword);

const pairs = (map: ReadonlyMap<string, string>): string[] =>
  [...map].map(([name, value]) => `${name}=${value}`);

function networkOf(
  { network = 'default' }: RunInstruction,
  options: BuildSession['options'],
): string | undefined {
  if (network === 'none') return 'none';
  if (network === 'default') return options.network === 'default' ? undefined : options.network;
  if (options.allow?.includes('network.host') || options.network === 'host') return 'host';
  throw new TsboxError('BUILD', 'RUN --network=host is not allowed', {
    hint: '--allow network.host',
    exitCode: 1,
  });
}

function securityOf({ security }: RunInstruction, options: BuildSession['options']): boolean {
  if (security !== 'insecure') return false;
  if (options.allow?.includes('security.insecure')) return true;
  throw new TsboxError('BUILD', 'RUN --security=insecure is not allowed', {
    hint: '--allow security.insecure',
    exitCode: 1,
  });
}

/** False also where this process may not look. */
function isDirectory(session: BuildSession, layers: readonly string[], path: string): boolean {
  const parts = path.split('/').filter(Boolean);
  const tree = lowerTree(session, layers);
  return parts.every(
    (_, i) => tree.find(Buffer.from(parts.slice(0, i + 1).join('/')).toString('latin1'))?.type === 'dir',
  );
}

/** Failures of a stage are shown where they happened, not where they were waited for. */
const shown = new WeakSet<object>();

function told(session: BuildSession, step: Step, error: unknown): unknown {
  const isOld = typeof error === 'object' && error !== null && shown.has(error);
  if (isOld || session.engine.signal?.aborted) step.cancelled();
  else {
    const exit = /exit code: (\d+)$/.exec(messageOf(error))?.[1];
    step.failed(messageOf(error), exit === undefined ? undefined : Number(exit));
  }
  if (typeof error === 'object' && error !== null) shown.add(error);
  return error;
}
