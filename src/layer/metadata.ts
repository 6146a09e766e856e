import { chmodSync, fchmodSync, fchownSync, lchownSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { setFdTimes, setPathTimes } from '../sys/utimens.ts';
import { setXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import type { TarEntry } from './entry.ts';
import { isReservedXattr } from './marks.ts';
import { formatOverrideStat, OVERRIDE_STAT } from './override-stat.ts';
import type { Times } from './walk.ts';

/** What the user namespace that we run in can express. */
export interface Ownership {
  holdsUid(uid: number): boolean;
  holdsGid(gid: number): boolean;
  /** False where every file belongs to one user, to whom a setuid bit would give nothing but trouble (single mode). */
  readonly keepSetuid: boolean;
}

/** How often the disk could not hold what the archive says (store/layers.ts has the same names). */
export interface Reductions {
  owners: number;
  devices: number;
  setuid: number;
  xattrs: number;
}

const SETID = 0o6000;
const SPECIAL = 0o7000;
// Refusals that say "not this attribute, not here" rather than "the disk is broken".
const XATTR_REFUSED = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ERANGE', 'E2BIG', 'ENOSPC'];

/**
 * Puts owner, mode, extended attributes and times on what was just made. The order is the kernel's: chown(2) clears
 * setuid bits and file capabilities, writing changes the time.
 */
export class Metadata {
  readonly #ownership: Ownership;
  readonly reductions: Reductions = { owners: 0, devices: 0, setuid: 0, xattrs: 0 };

  constructor(ownership: Ownership) {
    this.#ownership = ownership;
  }

  /** A regular file that is open and was made with `mode & 0777`. */
  file(fd: number, path: ByteString, entry: TarEntry): void {
    fchownSync(fd, this.#uid(entry), this.#gid(entry));
    const mode = this.#mode(entry);
    if (mode & SPECIAL) fchmodSync(fd, mode);
    this.#extras(path, entry, 'file');
    setFdTimes(fd, entry.mtime.seconds, entry.mtime.nanoseconds);
  }

  /** An empty file that stands for a device node, made with `mode & 0777`. */
  device(fd: number, path: ByteString, entry: TarEntry): void {
    this.reductions.devices++;
    fchownSync(fd, this.#uid(entry), this.#gid(entry));
    this.#record(path, entry, `${entry.type}-${entry.major}-${entry.minor}`);
    setFdTimes(fd, entry.mtime.seconds, entry.mtime.nanoseconds);
  }

  /** A directory; its times come when we leave it. */
  directory(path: ByteString, entry: TarEntry): void {
    lchownSync(toPath(path), this.#uid(entry), this.#gid(entry));
    chmodSync(toPath(path), this.#mode(entry));
    this.#extras(path, entry, 'dir');
  }

  /**
   * The root of the layer. What the disk cannot hold is counted and not recorded: fuse-overlayfs takes the attribute on a
   * root as the promise that every file below has it, and shows none that has not (measured with 1.10).
   */
  root(path: ByteString, entry: TarEntry): void {
    lchownSync(toPath(path), this.#uid(entry), this.#gid(entry));
    chmodSync(toPath(path), this.#mode(entry));
    this.#countLosses(entry);
    if (entry.xattrs) this.#xattrs(path, entry.xattrs);
  }

  fifo(path: ByteString, entry: TarEntry): void {
    lchownSync(toPath(path), this.#uid(entry), this.#gid(entry));
    chmodSync(toPath(path), this.#mode(entry));
    this.#countLosses(entry);
    if (entry.xattrs) this.#xattrs(path, entry.xattrs);
    setTimesOf(path, entry.mtime);
  }

  /** Symbolic links have no mode and no user.* attributes: what their owner should be cannot be recorded. */
  symlink(path: ByteString, entry: TarEntry): void {
    if (entry.uid !== 0 || entry.gid !== 0) lchownSync(toPath(path), this.#uid(entry), this.#gid(entry));
    this.#countLosses(entry);
    if (entry.xattrs) this.#xattrs(path, entry.xattrs);
    setTimesOf(path, entry.mtime);
  }

  #uid({ uid }: TarEntry): number {
    return this.#ownership.holdsUid(uid) ? uid : 0;
  }

  #gid({ gid }: TarEntry): number {
    return this.#ownership.holdsGid(gid) ? gid : 0;
  }

  #mode({ mode }: TarEntry): number {
    return this.#ownership.keepSetuid ? mode : mode & ~SETID;
  }

  #extras(path: ByteString, entry: TarEntry, kind: 'file' | 'dir'): void {
    if (this.#countLosses(entry)) this.#record(path, entry, kind);
    if (entry.xattrs) this.#xattrs(path, entry.xattrs);
  }

  /** True when owner or mode on the disk are not those of the image. */
  #countLosses(entry: TarEntry): boolean {
    const hasOwner = this.#ownership.holdsUid(entry.uid) && this.#ownership.holdsGid(entry.gid);
    const hasMode = this.#mode(entry) === entry.mode;
    if (!hasOwner) this.reductions.owners++;
    if (!hasMode) this.reductions.setuid++;
    return !hasOwner || !hasMode;
  }

  #record(path: ByteString, { uid, gid, mode }: TarEntry, kind: string): void {
    this.#set(path, OVERRIDE_STAT, Buffer.from(formatOverrideStat({ uid, gid, mode, kind })));
  }

  #xattrs(path: ByteString, xattrs: ReadonlyMap<ByteString, Buffer>): void {
    for (const [name, value] of xattrs) {
      if (isReservedXattr(name)) this.reductions.xattrs++;
      else this.#set(path, name, value);
    }
  }

  #set(path: ByteString, name: ByteString, value: Buffer): void {
    try {
      setXattr(toPath(path), toPath(name), value);
    } catch (error) {
      if (!hasErrno(error, ...XATTR_REFUSED)) throw error;
      this.reductions.xattrs++;
    }
  }
}

/** Times of the path itself, a symbolic link's own too. */
export function setTimesOf(path: ByteString, times: Times): void {
  setPathTimes(toPath(path), times.seconds, times.nanoseconds);
}
