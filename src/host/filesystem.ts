import { statfsSync } from 'node:fs';

/** What kind of file system holds a path (statfs(2), linux/magic.h). */
export interface FileSystem {
  /** `ext4`, `nfs` …; the magic number in hex for one that is not in the table. */
  readonly name: string;
  /** overlayfs takes no upper directory there: no whiteouts, no user.* attributes, or revalidating entries. */
  readonly noUpper: boolean;
  /** Bytes that this user can still write. */
  readonly available: number;
  /** Inodes that are left; 0 where they are not counted. */
  readonly inodes: number;
}

const KNOWN: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  4076150800: 'f2fs',
  801189825: 'zfs',
  3393526350: 'bcachefs',
};

const NO_UPPER: Readonly<Record<number, string>> = {
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  1702057286: 'fuse',
  198183888: 'lustre',
  1196443219: 'gpfs',
  12805120: 'ceph',
  1397113167: 'afs',
  1635083891: 'aufs',
  2035054128: 'overlay',
  16914839: '9p',
  19780: 'vfat',
  428016422: 'beegfs',
};

export function fileSystemOf(path: string): FileSystem {
  const stat = statfsSync(path);
  const magic = stat.type >>> 0;
  const name = KNOWN[magic] ?? NO_UPPER[magic] ?? `0x${magic.toString(16)}`;
  return { name, noUpper: magic in NO_UPPER, available: stat.bavail * stat.bsize, inodes: stat.ffree };
}
