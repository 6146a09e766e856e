import type { Stats } from 'node:fs';
import { OPAQUE_NAME } from '../oci/whiteout.ts';
import { statusOf } from './files.ts';

/**
 * How removals stand in an unpacked layer and in the upper directory of a container. tsbox writes what both overlay drivers
 * read: a character device 0:0 in place of the removed file, `user.overlay.opaque` = `y` on a directory that hides
 * what is below. Kernels before 5.8 refuse the device: then the archive's own form, a file `.wh.NAME`, stays on
 * the disk, which fuse-overlayfs reads too. fuse-overlayfs writes its own spellings into an upper directory.
 */
export const OPAQUE_XATTR = 'user.overlay.opaque';

export const OPAQUE_XATTRS: readonly string[] = [
  OPAQUE_XATTR,
  'user.fuseoverlayfs.opaque',
  'trusted.overlay.opaque',
];
export const OPAQUE_NAMES: readonly string[] = [OPAQUE_NAME, '.wh..opq'];

/** True for a whiteout device. */
export function isWhiteout(stat: Pick<Stats, 'rdev' | 'isCharacterDevice'>): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

/** True for a directory that hides everything the layers below have in it. `getXattr` is that of src/sys/xattr.ts. */
export function isOpaque(
  path: string,
  getXattr: (path: string, name: string) => Buffer | undefined,
): boolean {
  if (OPAQUE_NAMES.some(name => statusOf(`${path}/${name}`) !== undefined)) return true;
  return OPAQUE_XATTRS.some(name => getXattr(path, name)?.toString() === 'y');
}

/** True for a name that marks opaqueness and is no file of the image. */
export function isOpaqueName(name: string): boolean {
  return OPAQUE_NAMES.includes(name);
}

/**
 * Extended attributes by which overlay drivers and rootless tools steer themselves. An image that brings its own could
 * redirect a directory to another place or change owners behind our back: they never come from an archive.
 */
export function isReservedXattr(name: string): boolean {
  return /^(?:user|trusted)\.overlay\.|^user\.(?:containers|fuseoverlayfs|rootlesscontainers)(?:\.|$)|^security\.fuseoverlayfs\./.test(
    name,
  );
}
