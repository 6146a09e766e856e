import { availableParallelism } from 'node:os';
import { parseDockerfile } from '../build/parse.ts';
import { stageGraph } from '../build/stages.ts';
import { unusedBuildArgs } from '../build/stages-args.ts';
import type { BuildEvent, BuildOptions, BuildResult, BuildWarning, StageGraph } from '../build/types.ts';
import { TsboxError } from '../errors.ts';
import { hostPlatform, parsePlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import { selectStorage } from '../storage/select.ts';
import { BuildCache } from '../store/build-cache.ts';
import { BuildContexts } from './build-contexts.ts';
import { addBuiltImage } from './build-image.ts';
import { buildStages } from './build-order.ts';
import { needsImage, writeOutput } from './build-output.ts';
import { type BuildSession, Progress, type StageResult } from './build-session.ts';
import { whileAdding } from './collect.ts';
import type { Engine } from './context.ts';
import { mapsFor, storageHost } from './machine.ts';

/**
 * Builds an image from a Dockerfile. Finished steps stay as cache, whatever becomes of the rest; nothing else stays of a build that fails. Throws
 * DOCKERFILE, BUILD (an instruction failed), NOT_FOUND, ABORTED, and what runs and pulls throw.
 */
export async function build(engine: Engine, options: BuildOptions = {}): Promise<BuildResult> {
  for (const tag of namesOf(options)) parseReference(tag);
  const contexts = new BuildContexts(engine, options);
  try {
    return await whileAdding(engine, () => buildIn(engine, options, contexts));
  } finally {
    await contexts.close();
  }
}

async function buildIn(engine: Engine, options: BuildOptions, contexts: BuildContexts): Promise<BuildResult> {
  const emit = (event: BuildEvent): void => options.onEvent?.(event);
  const buildArgs = argsOf(options);
  const graph = await readGraph(options, contexts, buildArgs);
  const { file, text } = graph.dockerfile;
  const told = warningsOf(graph, buildArgs.keys());
  for (const warning of told) emit({ type: 'warning', warning });
  if (options.check) return { names: [], warnings: told };
  emit({ type: 'plan', file, text, steps: countSteps(graph) });
  const base = { engine, options, graph, buildArgs, contexts, emit };
  const session = await openSession(base);
  const result = await buildStages(session);
  return { ...(await finish(session, result)), warnings: told };
}

function warningsOf(graph: StageGraph, buildArgs: Iterable<string>): BuildWarning[] {
  const { file, warnings } = graph.dockerfile;
  const unused = unusedBuildArgs(graph, buildArgs).map(name => ({
    message: `no ARG takes the build argument ${JSON.stringify(name)}`,
  }));
  return [...warnings.map(({ message, range }) => ({ message, file, range })), ...unused];
}

/** Throws USAGE. */
function epochOf(
  { sourceDateEpoch, callerEnv }: BuildOptions,
  buildArgs: ReadonlyMap<string, string>,
): number | undefined {
  const text = buildArgs.get('SOURCE_DATE_EPOCH') ?? callerEnv?.SOURCE_DATE_EPOCH;
  if (sourceDateEpoch !== undefined || text === undefined || text === '') return sourceDateEpoch;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new TsboxError('USAGE', `SOURCE_DATE_EPOCH ${JSON.stringify(text)} is no number of seconds`);
}

interface SessionInput {
  readonly engine: Engine;
  readonly options: BuildOptions;
  readonly graph: StageGraph;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly contexts: BuildContexts;
  readonly emit: (event: BuildEvent) => void;
}

export type SessionParts = Omit<BuildSession, 'stage' | 'image' | 'inTurn'> & { readonly jobs: number };

async function openSession({ contexts, emit, ...input }: SessionInput): Promise<SessionParts> {
  const { engine, options } = input;
  const maps = await mapsFor(engine, 'auto');
  const wanted = engine.config.storage.driver ?? 'auto';
  const driver = await selectStorage(wanted, storageHost(engine, maps), engine.paths.runtime);
  return {
    ...input,
    driver: driver.name,
    platform: options.platform === undefined ? hostPlatform() : parsePlatform(options.platform),
    cache: new BuildCache(engine.paths.root),
    progress: new Progress(emit),
    epoch: epochOf(options, input.buildArgs),
    jobs: options.jobs ?? Math.max(2, Math.min(4, availableParallelism())),
    context: name => contexts.get(name),
    imageContext: name => contexts.imageOf(name),
  };
}

async function finish(session: SessionParts, built: StageResult): Promise<Omit<BuildResult, 'warnings'>> {
  const { engine, options } = session;
  const result = await asAsked(session, built);
  const names = namesOf(options);
  const outputs = options.outputs ?? [];
  const image =
    outputs.length === 0 || outputs.some(needsImage)
      ? await addBuiltImage(engine, result, extrasOf(options), names)
      : undefined;
  for (const output of outputs) await writeOutput(session, output, result, image && { ...image, names });
  if (!image) return { names: [] };
  session.progress.emit({ type: 'image', id: image.id, names });
  return { ...image, names };
}

async function asAsked({ engine, options }: SessionParts, built: StageResult): Promise<StageResult> {
  if (!options.squash) return built;
  const { squashed } = await import('./build-squash.ts');
  return squashed(engine, built, built.baseLayers);
}

const extrasOf = ({ labels, annotations }: BuildOptions) => ({
  ...(labels && { labels }),
  ...(annotations && { annotations }),
});

async function readGraph(
  options: BuildOptions,
  contexts: BuildContexts,
  buildArgs: ReadonlyMap<string, string>,
): Promise<StageGraph> {
  const { file, text } = await contexts.dockerfile();
  return stageGraph(parseDockerfile(text, { file }), {
    buildArgs,
    contexts: new Set(Object.keys(options.buildContexts ?? {})),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.platform !== undefined && { platform: parsePlatform(options.platform) }),
  });
}

/** What is shown: each base image, and each instruction that makes a layer. */
function countSteps({ order, stages }: StageGraph): number {
  const needed = order.flatMap(index => stages[index] ?? []);
  const images = new Set(needed.flatMap(({ base }) => (base.kind === 'image' ? [base.reference] : [])));
  const made = needed.flatMap(stage => stage.instructions).filter(({ keyword }) => LAYERED.has(keyword));
  return images.size + made.length;
}

const LAYERED: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD', 'WORKDIR']);

/** `--build-arg NAME` takes the caller's value. */
function argsOf({ buildArgs = {}, callerEnv = {} }: BuildOptions): Map<string, string> {
  const pairs = Object.entries(buildArgs).map(([name, value]) => [name, value ?? callerEnv[name]] as const);
  return new Map(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function namesOf({ tags = [], outputs = [] }: BuildOptions): string[] {
  const more = outputs.filter(output => output.type === 'image').flatMap(output => output.names ?? []);
  return [...new Set([...tags, ...more])];
}
