import type { ErrorCode } from '../errors.ts';
import type { IdMapLine } from '../plan/ops.ts';
import type { GrowthLimits } from './decompress.ts';
import type { Reductions } from './metadata.ts';
import type { PackResult } from './pack.ts';
import type { WhiteoutNames } from './pack-items.ts';

/** What goes into and out of the process in the user namespace. Types only: the engine sends, src/userns/main.ts answers. */
export interface ApplyTask {
  readonly task: 'apply';
  /** Kind of the id map; in `single`, setuid bits are recorded instead of set. */
  readonly mode: 'ranges' | 'single' | 'keep-id' | 'root';
  readonly limits: GrowthLimits;
}

/**
 * Copies layers, the base first, into one new directory (src/layer/flatten.ts). Paths are relative to the working directory. No reply:
 * status 0, or 1 and a line on descriptor 2.
 */
export interface FlattenTask {
  readonly task: 'flatten';
  readonly layers: readonly string[];
  readonly target: string;
}

/**
 * Writes the archive of the directory on descriptor 0, which becomes the root of the process, to descriptor 4. Reply: PackResult.
 * Strings are byte strings (src/layer/bytes.ts).
 */
export interface PackTask {
  readonly task: 'pack';
  /** The map that the store's files were written with. */
  readonly mode: ApplyTask['mode'];
  /** What is packed, below the directory, without slashes at its ends; it is not resolved: no link may be on the way. Default: all of it. */
  readonly start?: string;
  /** Name of the first entry; default: that of `start`. */
  readonly name?: string;
  /** Whiteouts and opaque directories become removals of a layer (default); false for a plain tree (export, cp). */
  readonly removals?: boolean;
  /** Default: `marks` with removals, else `files` (src/layer/pack-items.ts). */
  readonly whiteoutNames?: WhiteoutNames;
  readonly oneFileSystem?: boolean;
  /** The upper directory of the image `host`. */
  readonly nobodyIsRoot?: boolean;
}

/** The directory of a container and what it began with; `changes` and `commit` go by it. */
export interface UpperOfTask {
  readonly mode: ApplyTask['mode'];
  /** Roots of the layers, the top one first, relative to the working directory; `/` alone: this machine's own root. */
  readonly lowers: readonly string[];
  /** The directory is a whole tree (vfs). */
  readonly whole: boolean;
  /** Names of the form `.wh.NAME` are removals (fuse-overlayfs). */
  readonly marks: boolean;
  /** The image `host`: all that the layers below have is shown as root's. */
  readonly nobodyIsRoot: boolean;
  /** Absolute paths of the machine that the image `host` does not show. */
  readonly hidden: readonly string[];
}

/**
 * Writes what the container whose directory is descriptor 0 has changed to descriptor 4: records of a letter (`A`, `C`, `D`), the
 * absolute path and a NUL. Reply: the number of records.
 */
export interface ChangesTask extends UpperOfTask {
  readonly task: 'changes';
}

/**
 * Writes the layer of the container whose directory is descriptor 0 to descriptor 1, a file, and the tree that this layer makes into
 * the empty directory `target`, relative to the working directory. Reply, on descriptor 4: CommitReply.
 */
export interface CommitTask extends UpperOfTask {
  readonly task: 'commit';
  readonly target: string;
}

export interface CommitReply extends PackResult {
  /** Of the archive: `sha256:…`, bytes. */
  readonly digest: string;
  readonly length: number;
  readonly reductions: Reductions;
}

/** Compares the directory on descriptor 0 with the archive (compressed or not) that comes in on descriptor 4. Reply: VerifyReply. */
export interface VerifyTask {
  readonly task: 'verify';
  readonly limits: GrowthLimits;
}

export interface VerifyReply {
  /** Of the archive. */
  readonly diffId: string;
  /** How many paths differ, and what is wrong with the first of them. */
  readonly count: number;
  readonly problems: readonly string[];
}

/** Bytes of the files below each path (src/layer/usage.ts), relative to the working directory. Reply: a number for each. */
export interface UsageTask {
  readonly task: 'usage';
  readonly paths: readonly string[];
}

/** Gives the directory on descriptor 0 and all in it to one user of the namespace (`-v …:U`). Reply: how many were changed. */
export interface GiveTask {
  readonly task: 'give';
  readonly uid: number;
  readonly gid: number;
  /** The directory's path, for messages. */
  readonly path: string;
}

/** Changes owners in the directory on descriptor 0 (src/layer/give.ts). Reply: how many were changed. */
export interface TranslateTask {
  readonly task: 'translate';
  readonly uid: readonly IdMapLine[];
  readonly gid: readonly IdMapLine[];
}

export type Task =
  | VerifyTask
  | GiveTask
  | TranslateTask
  | ChangesTask
  | CommitTask
  | ApplyTask
  | FlattenTask
  | PackTask
  | UsageTask;

export type TaskReply<T = unknown> =
  | { readonly ok: T }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };
