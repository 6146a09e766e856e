import { posix } from 'node:path';
import type { RunMount } from '../build/instructions.ts';
import type { ContentSource } from '../build/types.ts';
import type { StepMounts } from './build-run.ts';

export interface MountRequest {
  readonly mounts: readonly RunMount[];
  readonly source: (from: string) => ContentSource;
  readonly workdir: string;
  /** An executable file in the container's /dev. */
  readonly script?: { readonly path: string; readonly content: string };
}

export interface PreparedMounts {
  /** What the step depends on. */
  readonly inputs: unknown;
  /** With the mounts there; they are let go of afterwards. */
  use<T>(work: (mounts: StepMounts) => Promise<T>): Promise<T>;
}

/** One mount: what of it counts for the cache, and how it comes to be there. */
export interface PreparedMount {
  readonly inputs: unknown;
  open(): Promise<OpenMount>;
}

export interface OpenMount extends Partial<StepMounts> {
  close?(): Promise<void>;
}

export interface OneRequest extends MountRequest {
  /** Its place among the mounts of the step. */
  readonly number: number;
}

/** Where a mount goes: absolute. */
export const targetOf = (target: string, { workdir }: Pick<MountRequest, 'workdir'>): string =>
  posix.resolve('/', workdir, target);
