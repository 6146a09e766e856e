import { LayerApplier } from '../layer/apply.ts';
import { ArchiveFile } from '../layer/build-archive.ts';
import type { KeptLayer, SquashTask } from '../layer/build-tasks.ts';
import type { ByteString } from '../layer/bytes.ts';
import { type Lower, LowerView } from '../layer/lower.ts';
import { packItems } from '../layer/pack.ts';
import type { PackItem } from '../layer/pack-items.ts';
import { enterBoth } from './commit.ts';
import { ownershipOf } from './ownership.ts';

const ARCHIVE = 1;

/** The task `build-squash`: what all layers show and the base does not. */
export function squash(task: SquashTask): KeptLayer {
  const ownership = ownershipOf(task.mode);
  enterBoth('.');
  const view = new LowerView();
  const archive = new ArchiveFile(ARCHIVE);
  const applier = new LayerApplier('', ownership);
  try {
    const items = changes(view, '', view.root(task.lowers), view.root(task.base));
    const pieces = packItems(items, ownership, applier);
    let next = pieces.next();
    for (; !next.done; next = pieces.next()) archive.add(next.value);
    applier.finish();
    return { ...next.value, ...archive.finish(false) };
  } finally {
    applier.close();
  }
}

/** A file is unchanged when it is the very same one; a directory when no layer above the base has it. */
function* changes(
  view: LowerView,
  name: ByteString,
  now: Lower | undefined,
  before: Lower | undefined,
): Generator<PackItem> {
  if (!now) {
    if (before) yield { kind: 'removed', name };
    return;
  }
  if (now.path === before?.path && now.directories.length === before.directories.length) return;
  yield { kind: 'node', name, path: now.path, stat: now.stat };
  const below = before?.stat.isDirectory() ? before : undefined;
  if (!now.stat.isDirectory()) return;
  const names = new Set([...view.names(now), ...view.names(below)]);
  for (const child of [...names].sort()) {
    const path = name === '' ? child : `${name}/${child}`;
    yield* changes(view, path, view.find(now, child), view.find(below, child));
  }
}
