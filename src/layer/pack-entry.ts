import { type BigIntStats, readlinkSync } from 'node:fs';
import { whiteoutName } from '../oci/whiteout.ts';
import { getXattr, listXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import type { EntryType } from './entry.ts';
import { isReservedXattr } from './marks.ts';
import type { Ownership } from './metadata.ts';
import { OVERRIDE_STAT, type OverrideStat, parseOverrideStat } from './override-stat.ts';
import type { PaxTime } from './pax.ts';
import type { TarMember } from './tar-writer.ts';

/** How owners and modes of the disk become those of the image. */
export interface PackOwnership extends Ownership {
  /** Owner 65534 is a lower file of the image `host`, whose owner the map does not hold: it is root's there. */
  readonly nobodyIsRoot?: boolean;
}

const SETID = 0o6000;
const NOBODY = 65534;
/** What an image may carry; labels and the drivers' own attributes belong to this machine. */
const KEPT_XATTR = /^user\.|^security\.(?:capability|ima)$|^system\.posix_acl_(?:access|default)$/;

/**
 * Describes files as archive entries. Remembers the files with several names: the second one becomes a hard link.
 */
export class Describer {
  readonly #ownership: PackOwnership;
  readonly #links = new Map<string, ByteString>();

  constructor(ownership: PackOwnership) {
    this.#ownership = ownership;
  }

  /** The entry of what is at `path`; undefined for what no archive holds (sockets). `stat`: of the file itself, just now. */
  describe(name: ByteString, path: ByteString, stat: BigIntStats): TarMember | undefined {
    const first = this.#firstName(name, stat);
    const real = realPath(path);
    const names = first === undefined ? listXattr(real) : [];
    const recorded = names.includes(OVERRIDE_STAT) ? recordedStat(real, stat) : undefined;
    const type = first === undefined ? typeOf(stat, recorded) : 'hardlink';
    if (type === undefined) return undefined;
    const [, major = 0, minor = 0] = (recorded?.kind ?? '').split('-').map(Number);
    const size = type === 'file' ? Number(stat.size) : 0;
    return {
      name: type === 'dir' ? `${name === '' ? '.' : name}/` : name,
      type,
      size,
      stored: size,
      ...this.#owner(stat, recorded),
      mtime: timeOf(stat),
      link: first ?? (type === 'symlink' ? readlinkSync(real, { encoding: 'latin1' }) : ''),
      major,
      minor,
      xattrs: xattrsOf(real, names),
    };
  }

  #firstName(name: ByteString, stat: BigIntStats): ByteString | undefined {
    if (stat.nlink < 2n || stat.isDirectory()) return undefined;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#links.get(key);
    if (first === undefined) this.#links.set(key, name);
    return first;
  }

  #owner(stat: BigIntStats, recorded: OverrideStat | undefined): { uid: number; gid: number; mode: number } {
    const disk = {
      uid: this.#squash(Number(stat.uid)),
      gid: this.#squash(Number(stat.gid)),
      mode: Number(stat.mode) & 0o7777,
    };
    if (recorded === undefined) return disk;
    // What was recorded holds as long as the disk has what was made of it: a chown or chmod since then counts more.
    const uid = this.#ownership.holdsUid(recorded.uid) ? recorded.uid : 0;
    const gid = this.#ownership.holdsGid(recorded.gid) ? recorded.gid : 0;
    const mode = this.#ownership.keepSetuid ? recorded.mode : recorded.mode & ~SETID;
    const owner = disk.uid === uid && disk.gid === gid ? recorded : disk;
    return { uid: owner.uid, gid: owner.gid, mode: disk.mode === mode ? recorded.mode : disk.mode };
  }

  #squash(id: number): number {
    return this.#ownership.nobodyIsRoot && id === NOBODY ? 0 : id;
  }
}

/** The entry that removes `name` from the layers below. */
export function removalOf(name: ByteString): TarMember {
  const slash = name.lastIndexOf('/') + 1;
  return mark(name.slice(0, slash) + whiteoutName(name.slice(slash)));
}

export const mark = (name: ByteString): TarMember => ({
  name,
  type: 'file',
  size: 0,
  stored: 0,
  mode: 0o600,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  link: '',
  major: 0,
  minor: 0,
  xattrs: undefined,
});

const realPath = (path: ByteString): string | Buffer => toPath(path === '' ? '/' : path);

function recordedStat(path: string | Buffer, stat: BigIntStats): OverrideStat | undefined {
  if (!stat.isFile() && !stat.isDirectory()) return undefined;
  const value = getXattr(path, OVERRIDE_STAT);
  return value && parseOverrideStat(value.toString('latin1'));
}

/** An empty file may stand for a device node that the disk could not hold. */
function typeOf(stat: BigIntStats, recorded: OverrideStat | undefined): EntryType | undefined {
  if (stat.isFile()) {
    const device = stat.size === 0n && /^(char|block)-/.exec(recorded?.kind ?? '');
    return device ? (device[1] as 'char' | 'block') : 'file';
  }
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'char';
  return stat.isBlockDevice() ? 'block' : undefined;
}

function timeOf(stat: BigIntStats): PaxTime {
  const nanoseconds = ((stat.mtimeNs % NANO) + NANO) % NANO;
  return { seconds: Number((stat.mtimeNs - nanoseconds) / NANO), nanoseconds: Number(nanoseconds) };
}

const NANO = 1_000_000_000n;

function xattrsOf(
  path: string | Buffer,
  names: readonly string[],
): ReadonlyMap<ByteString, Buffer> | undefined {
  let found: Map<ByteString, Buffer> | undefined;
  for (const name of names) {
    // A PAX key ends at its first `=`.
    if (!KEPT_XATTR.test(name) || isReservedXattr(name) || name.includes('=')) continue;
    const value = getXattr(path, name);
    if (value === undefined) continue;
    found ??= new Map();
    const key = Buffer.from(name).toString('latin1');
    found.set(key, name === 'security.capability' ? plainCapability(value) : value);
  }
  return found;
}

/**
 * File capabilities that were set in another user namespace carry the id of its root (version 3, capabilities(7)). An image
 * means whoever is root where it runs: version 2.
 */
function plainCapability(value: Buffer): Buffer {
  if (value.length !== 24 || value[3] !== 3) return value;
  const plain = Buffer.from(value.subarray(0, 20));
  plain[3] = 2;
  return plain;
}
