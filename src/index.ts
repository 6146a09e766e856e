/** The public API of tsbox. Nothing else is exported from the package. */

export type { Cancellable, Container } from './engine/container-handle.ts';
export type { Sandbox } from './engine/sandbox.ts';
export type { Snapshot } from './engine/sandbox-snapshot.ts';
export { Tsbox } from './engine/tsbox.ts';
export type * from './engine/types.ts';
export { ERROR_CODES, type ErrorCode, TsboxError } from './errors.ts';
export { type DebugArea, type ProgressEvent, type Reporter, silentReporter } from './log.ts';
