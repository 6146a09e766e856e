import { join } from 'node:path';
import type { RunMount } from '../build/instructions.ts';
import { resolveIn } from '../layer/build-select.ts';
import { layerTree } from '../storage/layout.ts';
import { BuildCache } from '../store/build-cache.ts';
import { cachedLayer, keepStep } from './build-cached.ts';
import { layersOf, pickFrom } from './build-copy.ts';
import { addLayer, bytesOf, scratchTree } from './build-layer.ts';
import { lowerTree, type Pick } from './build-pick.ts';
import { type OneRequest, type OpenMount, type PreparedMount, targetOf } from './build-run-request.ts';
import type { BuildSession } from './build-session.ts';

/**
 * Files of a context, a stage or an image for one step. They are never those files themselves: a context is copied into a layer of its own first (known
 * again by its content), so that no link of it leads out (CVE-2024-1753) and nothing is written to it (CVE-2025-4953). What a step with `rw` writes goes
 * with the step.
 */
export async function bindMount(
  session: BuildSession,
  mount: RunMount,
  request: OneRequest,
): Promise<PreparedMount> {
  const target = targetOf(mount.target ?? '', request);
  const from = mount.from === undefined ? undefined : request.source(mount.from);
  const layers = from && (await layersOf(session, from));
  const selection = { sources: [bytesOf(mount.source ?? '/')], exclude: [], parents: false };
  const pick = await pickFrom(session, from, selection);
  const inputs = ['bind', target, pick.digest(), mount.readOnly];
  const open = async (): Promise<OpenMount> => {
    const here: string | undefined =
      layers && mount.readOnly ? inOneLayer(session, layers, mount.source ?? '/') : undefined;
    const tree: Tree = here ? { path: here } : await treeOf(session, pick, mount.readOnly);
    await pick.close();
    return {
      records: [
        { type: 'bind', source: tree.path, target, readOnly: mount.readOnly, options: [], anonymous: false },
      ],
      targets: [target],
      ...(tree.discard && { close: tree.discard }),
    };
  };
  return { inputs, open };
}

/** Where a single layer has all of it, that is bound. */
function inOneLayer(session: BuildSession, layers: readonly string[], source: string): string | undefined {
  const tree = lowerTree(session, layers);
  const path = resolveIn(tree, bytesOf(source));
  const found = path === undefined ? undefined : tree.lower(path);
  if (!found || found.directories.length > 1 || !(found.stat.isDirectory() || found.stat.isFile()))
    return undefined;
  // A path that is no UTF-8 is no string that could be bound.
  return /[\x80-\xff]/.test(found.path) ? undefined : found.path;
}

interface Tree {
  readonly path: string;
  discard?(): Promise<void>;
}

/** The files as a tree of their own: for who only reads one that is kept, for who writes one that goes with the step. */
async function treeOf(session: BuildSession, pick: Pick, readOnly: boolean): Promise<Tree> {
  const [source] = pick.sources;
  const tree = readOnly ? { path: await keptTree(session, pick) } : await writableTree(session, pick);
  const name = Buffer.from(source?.name ?? '', 'latin1').toString();
  return { ...tree, path: source?.isDirectory ? tree.path : join(tree.path, name) };
}

async function keptTree(session: BuildSession, pick: Pick): Promise<string> {
  const key = BuildCache.key([1, 'bind', pick.digest()]);
  const cached = await cachedLayer(session, key);
  const layer = cached?.layer ?? (await addLayer(session.engine, REQUEST, fillWith(pick)));
  if (!cached)
    await keepStep(session, key, { layer, text: 'files of a mount', created: new Date().toISOString() });
  return join(session.engine.paths.root, layerTree(layer.diffId));
}

const writableTree = (session: BuildSession, pick: Pick): Promise<Tree> =>
  scratchTree(session.engine, REQUEST, fillWith(pick));

const REQUEST = { layers: [], destination: '/', owner: { uid: 0, gid: 0 } };
const fillWith = (pick: Pick) => () => pick.pieces({ path: '', intoDirectory: true, exists: true });
