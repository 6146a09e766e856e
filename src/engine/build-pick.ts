import { join } from 'node:path';
import type { BuildContext } from '../build/types.ts';
import { CopyDigest, digestOf, shapeOf } from '../layer/build-digest.ts';
import { LowerTree } from '../layer/build-lower.ts';
import { type CopyNode, membersOf, packMembers } from '../layer/build-members.ts';
import { type Choice, type Selection, selectFiles } from '../layer/build-select.ts';
import type { SourceFound, SourceGo, SourceTask } from '../layer/build-tasks.ts';
import { BuildCache } from '../store/build-cache.ts';
import { ContextTree } from './build-copy-tree.ts';
import { lowersOf, type Pieces } from './build-layer.ts';
import { type BuildProcess, startBuildTask } from './build-process.ts';
import type { BuildSession } from './build-session.ts';
import { enterHost } from './machine.ts';

/** Files that have been chosen and not yet been copied. */
export interface Pick {
  readonly sources: SourceFound['sources'];
  /** What can be told of them before they are read: equal digests have equal shapes. */
  readonly shape: string;
  /** As SourceFound.digest. They are read for it, unless they have been as `pieces`. */
  digest(): string;
  /** Their archive, without its end. Read once. */
  pieces(go: SourceGo): Promise<Pieces>;
  /** They are not needed, or all is done. */
  close(): Promise<void>;
}

const trees = new WeakMap<BuildContext, ContextTree>();

function treeOf(context: BuildContext): ContextTree {
  const tree = trees.get(context) ?? new ContextTree(context);
  trees.set(context, tree);
  return tree;
}

/** From a context: read by this process, with the caller's rights. */
export function pickFromContext(context: BuildContext, selection: Selection): Pick {
  return pickChoice(selectFiles(treeOf(context), selection));
}

/** Files that this process can read. */
export function pickChoice<N extends CopyNode>(choice: Choice<N>): Pick {
  const shape = shapeOf(choice);
  let digest: string | undefined;
  return {
    sources: choice.sources,
    shape,
    digest() {
      digest ??= digestOf(choice, shape);
      return digest;
    },
    pieces: async go => {
      if (digest !== undefined) return packMembers(membersOf(choice, go), false);
      return packNew(choice, go, new CopyDigest(shape), found => {
        digest = found;
      });
    },
    close: async () => {},
  };
}

/** What is new is read once, for the layer and the digest. */
function* packNew<N extends CopyNode>(
  choice: Choice<N>,
  go: SourceGo,
  digest: CopyDigest,
  found: (digest: string) => void,
): Generator<Buffer> {
  yield* packMembers(membersOf(choice, go), false, digest);
  found(digest.finish());
}

/** What is known of a source already. */
export const foundBefore = ({ digest, sources }: SourceFound) => ({
  sources,
  shape: digest,
  digest: () => digest,
});

/** From a stack of layers, where the ids of its files exist. Known already when the same was asked of the same layers before. */
export async function pickFromLayers(
  session: Parts,
  layers: readonly string[],
  selection: Selection,
): Promise<Pick> {
  const key = BuildCache.key({ kind: 'source', layers, selection });
  const known = session.options.noCache ? undefined : await session.cache.get(key);
  let running: LayersProcess | undefined;
  let found = known?.found as SourceFound | undefined;
  if (!found) {
    running = await startPick(session, layers, selection);
    found = running.found;
    await session.cache.put(key, {
      version: 1,
      found,
      text: `files for ${selection.sources.join(' ')}`,
      created: new Date().toISOString(),
    });
  }
  return {
    ...foundBefore(found),
    pieces: async go => {
      running ??= await startPick(session, layers, selection);
      return piecesOf(running, go);
    },
    close: async () => running?.process.stop(),
  };
}

interface Parts {
  readonly engine: BuildSession['engine'];
  readonly options: BuildSession['options'];
  readonly cache: BuildSession['cache'];
}

interface LayersProcess {
  readonly process: BuildProcess;
  readonly found: SourceFound;
}

async function startPick(
  { engine }: Parts,
  layers: readonly string[],
  selection: Selection,
): Promise<LayersProcess> {
  const host = await enterHost(engine);
  const task: SourceTask = {
    task: 'build-source',
    mode: host.maps.mode,
    lowers: lowersOf(layers),
    selection,
  };
  const options = { directory: engine.paths.root, signal: engine.signal };
  const process = await startBuildTask(host, task, options);
  try {
    return { process, found: await process.reply<SourceFound>() };
  } catch (error) {
    await process.stop();
    throw error;
  }
}

async function* piecesOf({ process }: LayersProcess, go: SourceGo): AsyncGenerator<Buffer> {
  process.data.write(`${JSON.stringify(go)}\n`);
  for await (const piece of process.data as AsyncIterable<Buffer>) yield piece;
  // An archive that was cut off is the end of a process that says why.
  await process.reply<true>();
}

/** A stack of layers as this process sees it, for names of users and the like. */
export function lowerTree({ engine }: BuildSession, layers: readonly string[]): LowerTree {
  const directories = lowersOf(layers).map(path => join(engine.paths.root, path));
  return new LowerTree(directories, { holdsUid: () => true, holdsGid: () => true, keepSetuid: true });
}
