import { TsboxError } from '../errors.ts';
import type { MountRecord } from '../store/container-record.ts';
/** placeholder until the reader is there */
export interface CdiEdits {
  readonly devices: readonly string[];
  readonly mounts: readonly MountRecord[];
  readonly env: readonly string[];
  readonly groups: readonly string[];
  readonly warnings: readonly string[];
}
export function cdiEdits(names: readonly string[]): CdiEdits {
  throw new TsboxError('HOST', `no CDI device ${names[0]}`);
}
export const gpuNames = (gpus: string | undefined): string[] =>
  gpus === undefined ? [] : [`nvidia.com/gpu=${gpus}`];
