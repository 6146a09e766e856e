import type { RunMount } from '../build/instructions.ts';
import type { ContentSource } from '../build/types.ts';
import { ops } from '../plan/ops.ts';
import { NO_MOUNTS, type StepMounts } from './build-run.ts';
import type { BuildSession } from './build-session.ts';

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

export async function prepareMounts(_session: BuildSession, request: MountRequest): Promise<PreparedMounts> {
  const { script } = request;
  const staged = script ? [ops.write(script.path, script.content, 0o755, 'the script of a RUN heredoc')] : [];
  return {
    inputs: [script?.content],
    use: work => work({ ...NO_MOUNTS, staged }),
  };
}
