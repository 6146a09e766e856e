import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { hasErrno, TsboxError } from '../errors.ts';
import { LayerApplier } from '../layer/apply.ts';
import { type Change, type ChangesOptions, changesOf } from '../layer/changes.ts';
import { differsForDiff, differsForLayer } from '../layer/differs.ts';
import { differsWithLinks } from '../layer/link-groups.ts';
import { LowerView } from '../layer/lower.ts';
import { isMountPoint } from '../layer/mount-points.ts';
import { type PackResult, packItems } from '../layer/pack.ts';
import { type PackItem, refused, walkTree } from '../layer/pack-items.ts';
import type { ChangesTask, CommitReply, CommitTask, UpperOfTask } from '../layer/tasks.ts';
import { enterDirectoryFd, enterRootFd } from '../sys/chroot.ts';
import { newSha256 } from '../util/hash.ts';
import { ownershipOf } from './ownership.ts';
import { writeAll } from './pack.ts';

const DIRECTORY = 0;
const ARCHIVE = 1;

/**
 * The container's directory becomes the root of this process: the container may be running, and nothing that it puts in our
 * way leads out of its own files. What is ours (layers, the new tree) is reached by relative paths: the working directory stays outside.
 */
export function enterBoth(outsideIs: '.' | '/'): void {
  const outside = openSync(outsideIs, constants.O_RDONLY | constants.O_DIRECTORY);
  enterRootFd(DIRECTORY);
  enterDirectoryFd(outside);
  closeSync(outside);
}

/** The task `changes`. */
export function listChanges(task: ChangesTask): number {
  // The image `host` has this machine's root below it.
  const isMachine = task.lowers[0] === '/';
  enterBoth(isMachine ? '/' : '.');
  const lowers = isMachine ? ['.'] : task.lowers;
  return writeAll(records(changesOf('', lowers, comparison(task, differsForDiff(task.nobodyIsRoot)))));
}

const PIECE = 64 * 1024;

function* records(changes: Iterable<Change>): Generator<Buffer, number> {
  let count = 0;
  let text = '';
  for (const { kind, name } of changes) {
    count++;
    text += `${kind}/${name}\0`;
    if (text.length < PIECE) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
  }
  yield Buffer.from(text, 'latin1');
  return count;
}

/** The task `commit`: the archive goes to descriptor 1 while the same entries make the tree. */
export function commit(task: CommitTask): CommitReply {
  const ownership = { ...ownershipOf(task.mode), nobodyIsRoot: task.nobodyIsRoot };
  enterBoth('.');
  const applier = new LayerApplier(task.target, ownership);
  try {
    const items = task.whole ? treeItems(task) : upperItems(task);
    const done = writeHashed(packItems(items, ownership, applier));
    return { ...done, reductions: applier.finish().reductions };
  } finally {
    applier.close();
  }
}

/** One process reads, hashes and writes: a second one would have to be given every byte first. */
function writeHashed(
  pieces: Generator<Buffer, PackResult>,
): PackResult & Pick<CommitReply, 'digest' | 'length'> {
  const hash = newSha256();
  let length = 0;
  for (;;) {
    const next = pieces.next();
    if (next.done) return { ...next.value, digest: `sha256:${hash.digest('hex')}`, length };
    hash.update(next.value);
    length += next.value.length;
    writeArchive(next.value);
  }
}

function writeArchive(piece: Buffer): void {
  try {
    for (let at = 0; at < piece.length; ) at += writeSync(ARCHIVE, piece, at);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOSPC', 'EDQUOT')) throw cause;
    throw new TsboxError('NO_SPACE', 'the disk or the quota is full', {
      cause,
      hint: 'free some space (tsbox system prune), or put the store elsewhere with --root',
      check: 'store-space',
    });
  }
}

function upperItems(task: CommitTask): Generator<PackItem> {
  const lower = new LowerView();
  const image = task.nobodyIsRoot ? undefined : lower.root(task.lowers);
  const differs = differsForDiff(false);
  return walkTree('', {
    removals: true,
    whiteoutNames: task.marks ? 'marks' : 'refuse',
    skip: (name, stat, path) => {
      // Copied up only for the places to mount on in it?
      const before = name === 'etc' ? lower.find(image, name) : undefined;
      const isUnchanged = before === undefined || !differs({ path, stat }, before);
      return isMountPoint(name, path, stat, isUnchanged);
    },
  });
}

/** Of a whole tree, what is not as the layers have it. */
function* treeItems(task: CommitTask): Generator<PackItem> {
  for (const root of walkTree('', { removals: false, whiteoutNames: 'refuse', skip: name => name !== '' }))
    yield root;
  const differs = differsWithLinks(differsForLayer, '', task.lowers);
  for (const { name, node } of changesOf('', task.lowers, comparison(task, differs))) {
    if (node && isWhiteoutName(name)) throw refused(name);
    yield node ? { kind: 'node', name, ...node } : { kind: 'removed', name };
  }
}

const isWhiteoutName = (name: string): boolean => /(?:^|\/)\.wh\.[^/]*$/.test(name);

function comparison(task: UpperOfTask, differs: ChangesOptions['differs']): ChangesOptions {
  const hidden = new Set(task.hidden.map(path => `.${path}`));
  const { whole, marks } = task;
  return { differs, whole, marks, skip: isMountPoint, hides: path => hidden.has(path) };
}
