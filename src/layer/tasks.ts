import type { ErrorCode } from '../errors.ts';
import type { GrowthLimits } from './decompress.ts';
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

/** Bytes of the files below each path (src/layer/usage.ts), relative to the working directory. Reply: a number for each. */
export interface UsageTask {
  readonly task: 'usage';
  readonly paths: readonly string[];
}

export type Task = UsageTask | ApplyTask | FlattenTask | PackTask;

export type TaskReply<T = unknown> =
  | { readonly ok: T }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };
