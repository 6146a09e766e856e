import type { ErrorCode } from '../errors.ts';
import type { GrowthLimits } from './decompress.ts';
import type { UnpackResult } from './unpack.ts';

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

export type TaskReply =
  | { readonly ok: UnpackResult }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };
