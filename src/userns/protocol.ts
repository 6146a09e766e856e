import type { ErrorCode } from '../errors.ts';
import type { GrowthLimits } from '../layer/decompress.ts';
import type { UnpackResult } from '../layer/unpack.ts';

/** What goes into and out of the process in the user namespace. Types only: the engine sends, `main.ts` answers. */
export interface ApplyTask {
  readonly task: 'apply';
  /** Kind of the id map; in `single`, setuid bits are recorded instead of set. */
  readonly mode: 'ranges' | 'single' | 'keep-id' | 'root';
  readonly limits: GrowthLimits;
}

export type TaskReply =
  | { readonly ok: UnpackResult }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };
