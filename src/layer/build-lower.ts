import { type BigIntStats, closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs';
import { getXattr, listXattr } from '../sys/xattr.ts';
import type { CopyNode, Member } from './build-members.ts';
import { resolveIn, type Tree } from './build-select.ts';
import { type ByteString, toPath } from './bytes.ts';
import { type Lower, LowerView } from './lower.ts';
import { Describer, type PackOwnership } from './pack-entry.ts';

/** A stack of layers as a tree to copy from, or to look things up in. */
export class LowerTree implements Tree<LowerNode> {
  readonly #view = new LowerView();
  readonly #known = new Map<ByteString, Lower | undefined>();
  readonly #describer: Describer;

  /** `directories`: roots of the layers, the top one first. */
  constructor(directories: readonly ByteString[], ownership: PackOwnership) {
    this.#known.set('', this.#view.root(directories));
    this.#describer = new Describer(ownership);
  }

  find(path: ByteString): LowerNode | undefined {
    const lower = this.lower(path);
    return lower && new LowerNode(lower, this.#describer);
  }

  names(path: ByteString): readonly ByteString[] {
    return [...this.#view.names(this.lower(path))].sort();
  }

  /** Only directories are remembered: a tree has few of them. */
  lower(path: ByteString): Lower | undefined {
    if (this.#known.has(path)) return this.#known.get(path);
    const slash = path.lastIndexOf('/');
    const parent = this.lower(slash < 0 ? '' : path.slice(0, slash));
    const found = parent?.stat.isDirectory() ? this.#view.find(parent, path.slice(slash + 1)) : undefined;
    if (!found || found.stat.isDirectory()) this.#known.set(path, found);
    return found;
  }

  /**
   * A small regular file of the image, its links followed beneath the root; undefined when there is none. A FIFO, a device, or more than `max`
   * bytes under that name are none either (CVE-2024-9676).
   */
  read(path: ByteString, max: number): Buffer | undefined {
    const real = resolveIn(this, path);
    const found = real === undefined ? undefined : this.lower(real);
    if (!found?.stat.isFile() || found.stat.size > BigInt(max)) return undefined;
    const fd = openSync(toPath(found.path), CAREFUL);
    try {
      const buffer = Buffer.alloc(Number(found.stat.size));
      return buffer.subarray(0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  }
}

const CAREFUL = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class LowerNode implements CopyNode {
  readonly type: CopyNode['type'];
  readonly lower: Lower;
  readonly #describer: Describer;

  constructor(lower: Lower, describer: Describer) {
    this.lower = lower;
    this.type = typeOf(lower.stat);
    this.#describer = describer;
  }

  get target(): ByteString {
    return this.type === 'symlink' ? readlinkSync(toPath(this.lower.path), { encoding: 'latin1' }) : '';
  }

  get identity(): string {
    const { mode, uid, gid, rdev } = this.lower.stat;
    return `${mode}:${uid}:${gid}:${rdev}${attributesOf(this.lower.path)}`;
  }

  get size(): number {
    return this.type === 'file' ? Number(this.lower.stat.size) : 0;
  }

  get inode(): string | undefined {
    const { dev, ino, nlink } = this.lower.stat;
    return this.type === 'file' && nlink > 1n ? `${dev}:${ino}` : undefined;
  }

  describe(name: ByteString): Member | undefined {
    const member = this.#describer.describe(name, this.lower.path, this.lower.stat);
    if (!member) return undefined;
    return member.type === 'file' ? { member, open: () => this.open() } : { member };
  }

  open(): number {
    return openSync(toPath(this.lower.path), CAREFUL);
  }
}

/** Also what only an attribute tells: an owner that the disk could not hold, the kind of a device. */
function attributesOf(path: ByteString): string {
  const real = toPath(path);
  const names = listXattr(real).sort();
  return names.map(name => `:${name}=${getXattr(real, name)?.toString('hex') ?? ''}`).join('');
}

function typeOf(stat: BigIntStats): CopyNode['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  return stat.isSymbolicLink() ? 'symlink' : 'other';
}
