import {
  type BigIntStats,
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { parseWhiteout } from '../oci/whiteout.ts';
import { makeFifo } from '../sys/mknod.ts';
import { setPathTimes } from '../sys/utimens.ts';
import { getXattr, listXattr, removeXattr, setXattr } from '../sys/xattr.ts';
import { OPAQUE_XATTR } from './marks.ts';

/**
 * Copies a stack of unpacked layers into one plain directory, for the storage driver vfs. Runs in the user namespace that
 * the layers were unpacked in, as root there. Paths are bytes: names in a layer need not be UTF-8.
 *
 * The trees hold what an image put there, but nobody writes to them while this runs, and no link is ever followed.
 */
export function flatten(layers: readonly string[], target: string): void {
  const root = Buffer.from(target);
  mkdirSync(root, { mode: 0o755 });
  for (const layer of layers) copyTree(Buffer.from(layer), root, new Map());
}

/** First names of files with several links, by inode; one layer's links never lead into another's. */
type Links = Map<string, Buffer>;

function copyTree(from: Buffer, to: Buffer, links: Links): void {
  for (const name of readdirSync(from, { encoding: 'buffer' })) {
    const mark = parseWhiteout(name.toString('latin1'));
    if (!mark) copyEntry(join(from, name), join(to, name), links);
    else if (mark.kind === 'remove') remove(join(to, Buffer.from(mark.name, 'latin1')));
  }
  copyAttributes(from, to, lstat(from));
}

function copyEntry(from: Buffer, to: Buffer, links: Links): void {
  const stat = lstat(from);
  const isDirectory = stat.isDirectory();
  // A directory joins the one below it unless it is opaque; everything else replaces what is there.
  if (!isDirectory || isOpaque(from) || !isPlainDirectory(to)) remove(to);
  if (stat.isCharacterDevice() && stat.rdev === 0n) return;
  if (isDirectory) {
    mkdirSync(to, { recursive: true, mode: 0o700 });
    copyTree(from, to, links);
  } else if (!linkAgain(stat, to, links)) {
    create(from, to, stat);
    copyAttributes(from, to, stat);
  }
}

/** True when the file is another name of one that has been copied already. */
function linkAgain(stat: BigIntStats, to: Buffer, links: Links): boolean {
  if (stat.nlink < 2n) return false;
  const first = links.get(String(stat.ino));
  if (first) linkSync(first, to);
  else links.set(String(stat.ino), to);
  return first !== undefined;
}

function create(from: Buffer, to: Buffer, stat: BigIntStats): void {
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to);
  else if (stat.isFIFO()) makeFifo(to, 0o600);
  else if (stat.isFile()) copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** Owner before mode: chown(2) takes the setuid bit away, and attributes of capabilities too. Times last. */
function copyAttributes(from: Buffer, to: Buffer, stat: BigIntStats): void {
  if (!stats(to)) return;
  lchownSync(to, Number(stat.uid), Number(stat.gid));
  if (!stat.isSymbolicLink()) chmodSync(to, Number(stat.mode & 0o7777n));
  copyXattrs(from, to, stat);
  // Before 1970 the remainder is negative, which the kernel refuses.
  const nanoseconds = ((stat.mtimeNs % NANO) + NANO) % NANO;
  setPathTimes(to, Number((stat.mtimeNs - nanoseconds) / NANO), Number(nanoseconds));
}

/** A directory that was there already has those of the layer below: they are not this one's. */
function copyXattrs(from: Buffer, to: Buffer, stat: BigIntStats): void {
  const names = listXattr(from).filter(name => !name.startsWith(OVERLAY));
  for (const name of names) {
    const value = getXattr(from, name);
    if (value) setXattr(to, name, value);
  }
  if (!stat.isDirectory()) return;
  for (const name of listXattr(to)) if (isRemovable(name) && !names.includes(name)) removeXattr(to, name);
}

/** Those that an image sets; labels of the machine stay. */
const isRemovable = (name: string): boolean => /^user\.|^security\.capability$/.test(name);

const OVERLAY = 'user.overlay.';
const NANO = 1_000_000_000n;
const SLASH = Buffer.from('/');
/** Where neither the device nor the attribute could be made, the archive's own mark stands on the disk. */
const OPAQUE_FILE = Buffer.from('.wh..wh..opq');

const isOpaque = (path: Buffer): boolean =>
  getXattr(path, OPAQUE_XATTR)?.toString() === 'y' || stats(join(path, OPAQUE_FILE)) !== undefined;
const isPlainDirectory = (path: Buffer): boolean => stats(path)?.isDirectory() ?? false;
const join = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, SLASH, name]);
const lstat = (path: Buffer): BigIntStats => lstatSync(path, { bigint: true });
const stats = (path: Buffer): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** Whatever is there, or nothing. rmSync takes no bytes, so directories are walked here. */
function remove(path: Buffer): void {
  const stat = stats(path);
  if (!stat) return;
  if (stat.isDirectory()) {
    for (const name of readdirSync(path, { encoding: 'buffer' })) remove(join(path, name));
    rmdirSync(path);
  } else unlinkSync(path);
}
