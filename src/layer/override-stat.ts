/**
 * `user.containers.override_stat`: owner, mode and kind of a file as the image has them, where the disk cannot. Key and format
 * (`uid:gid:mode:kind`, mode in octal) are those of containers/storage and fuse-overlayfs.
 */
export const OVERRIDE_STAT = 'user.containers.override_stat';

export interface OverrideStat {
  readonly uid: number;
  readonly gid: number;
  /** The lower twelve bits. */
  readonly mode: number;
  /** `file`, `dir`, `symlink`, `pipe`, `socket`, `block-MAJOR-MINOR`, `char-MAJOR-MINOR`. */
  readonly kind: string;
}

export function formatOverrideStat(stat: OverrideStat): string {
  return `${stat.uid}:${stat.gid}:${stat.mode.toString(8).padStart(4, '0')}:${stat.kind}`;
}

/** Undefined for what is not in the format; a missing kind (older writers) is the empty string. */
export function parseOverrideStat(text: string): OverrideStat | undefined {
  const match = /^(\d{1,10}):(\d{1,10}):([0-7]{1,7})(?::([a-z]+(?:-\d+-\d+)?))?$/.exec(text);
  if (!match) return undefined;
  const [, uid, gid, mode, kind = ''] = match;
  return { uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode ?? '0', 8) & 0o7777, kind };
}
