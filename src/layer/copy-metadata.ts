import { chmodSync, fchmodSync, fchownSync, lchownSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { setFdTimes } from '../sys/utimens.ts';
import { setXattr } from '../sys/xattr.ts';
import { type ByteString, toPath } from './bytes.ts';
import type { CopyMetadata } from './copy-extract.ts';
import type { TarEntry } from './entry.ts';
import { isReservedXattr } from './marks.ts';
import { Metadata, type Ownership, setTimesOf } from './metadata.ts';

const PERMISSIONS = 0o1777;
const ALL = 0o7777;

/** In a container: as for a layer, everything root's unless the owners are to be kept. The umask must be 0. */
export function insideMetadata(ownership: Ownership, keepOwners: boolean): CopyMetadata {
  const metadata = new Metadata(ownership);
  const owned = (entry: TarEntry): TarEntry => (keepOwners ? entry : { ...entry, uid: 0, gid: 0 });
  return {
    file: (fd, path, entry) => metadata.file(fd, path, owned(entry)),
    directory: (path, entry) => {
      metadata.directory(path, owned(entry));
      setTimesOf(path, entry.mtime);
    },
    symlink: (path, entry) => metadata.symlink(path, owned(entry)),
    fifo: (path, entry) => metadata.fifo(path, owned(entry)),
  };
}

/**
 * On the host: the files are the caller's. With `keepOwners` they get the owners of the archive where the kernel lets
 * the caller give them away. A setuid or setgid bit stays only with its owner: else the program of a container would run as the
 * caller for everybody who finds it.
 */
export function hostMetadata(keepOwners: boolean): CopyMetadata {
  return {
    file(fd, path, entry) {
      const kept = keepOwners && gave(() => fchownSync(fd, entry.uid, entry.gid));
      fchmodSync(fd, entry.mode & (kept ? ALL : PERMISSIONS));
      putXattrs(path, entry, kept);
      setFdTimes(fd, entry.mtime.seconds, entry.mtime.nanoseconds);
    },
    /** Its path is that of a held directory, whose last component is a link of /proc. */
    directory(path, entry) {
      const inside = `${path}/.`;
      const kept = keepOwners && gave(() => lchownSync(inside, entry.uid, entry.gid));
      chmodSync(inside, entry.mode & (kept ? ALL : PERMISSIONS));
      putXattrs(inside, entry, kept);
      setTimesOf(inside, entry.mtime);
    },
    symlink(path, entry) {
      if (keepOwners) gave(() => lchownSync(toPath(path), entry.uid, entry.gid));
      setTimesOf(path, entry.mtime);
    },
    fifo(path, entry) {
      if (keepOwners) gave(() => lchownSync(toPath(path), entry.uid, entry.gid));
      setTimesOf(path, entry.mtime);
    },
  };
}

/** False when it is not ours to give. */
function gave(chown: () => void): boolean {
  try {
    chown();
    return true;
  } catch (error) {
    if (hasErrno(error, 'EPERM', 'EINVAL')) return false;
    throw error;
  }
}

const XATTR_REFUSED = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ERANGE', 'E2BIG', 'ENOSPC'];

/** The user's own attributes; capabilities go with the owner. What this file system refuses is left out. */
function putXattrs(path: ByteString, entry: TarEntry, kept: boolean): void {
  for (const [name, value] of entry.xattrs ?? []) {
    const wanted = name.startsWith('user.') ? !isReservedXattr(name) : kept && name === 'security.capability';
    if (!wanted) continue;
    try {
      setXattr(toPath(path), toPath(name), value);
    } catch (error) {
      if (!hasErrno(error, ...XATTR_REFUSED)) throw error;
    }
  }
}
