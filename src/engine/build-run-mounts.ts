import { posix } from 'node:path';
import type { RunMount } from '../build/instructions.ts';
import type { ContentSource } from '../build/types.ts';
import { ops } from '../plan/ops.ts';
import type { StepMounts } from './build-run.ts';
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

/** One mount: what of it counts for the cache, and how it comes to be there. */
export interface PreparedMount {
  readonly inputs: unknown;
  open(): Promise<OpenMount>;
}

export interface OpenMount extends Partial<StepMounts> {
  close?(): Promise<void>;
}

/** The mounts of a RUN. Throws BUILD for a secret that is required and not given, NOT_FOUND for files that are not there. */
export async function prepareMounts(session: BuildSession, request: MountRequest): Promise<PreparedMounts> {
  const { script } = request;
  const prepared: PreparedMount[] = [];
  for (const [number, mount] of request.mounts.entries())
    prepared.push(await prepareOne(session, mount, { ...request, number }));
  const staged = script ? [ops.write(script.path, script.content, 0o755, 'the script of a RUN heredoc')] : [];
  return {
    inputs: [script?.content, prepared.map(mount => mount.inputs)],
    use: async work => {
      const open: OpenMount[] = [{ staged }];
      try {
        for (const mount of prepared) open.push(await mount.open());
        return await work(together(open));
      } finally {
        for (const mount of open.reverse()) await mount.close?.();
      }
    },
  };
}

export interface OneRequest extends MountRequest {
  /** Its place among the mounts of the step. */
  readonly number: number;
}

async function prepareOne(
  session: BuildSession,
  mount: RunMount,
  request: OneRequest,
): Promise<PreparedMount> {
  switch (mount.type) {
    case 'tmpfs':
      return tmpfs(mount, request);
    case 'cache':
      return (await import('./build-run-cache.ts')).cacheMount(session, mount, request);
    case 'bind':
      return (await import('./build-run-bind.ts')).bindMount(session, mount, request);
    default:
      return (await import('./build-run-secret.ts')).secretMount(session, mount, request);
  }
}

/** Where a mount goes: absolute. */
export const targetOf = (target: string, { workdir }: Pick<MountRequest, 'workdir'>): string =>
  posix.resolve('/', workdir, target);

function tmpfs(mount: RunMount, request: OneRequest): PreparedMount {
  const target = targetOf(mount.target ?? '', request);
  const options = ['mode=1777', ...(mount.size === undefined ? [] : [`size=${mount.size}`])];
  const record = { type: 'tmpfs', source: '', target, readOnly: false, options, anonymous: false } as const;
  return { inputs: ['tmpfs', target], open: async () => ({ records: [record], targets: [target] }) };
}

function together(mounts: readonly OpenMount[]): StepMounts {
  return {
    records: mounts.flatMap(mount => mount.records ?? []),
    staged: mounts.flatMap(mount => mount.staged ?? []),
    env: mounts.flatMap(mount => mount.env ?? []),
    targets: mounts.flatMap(mount => mount.targets ?? []),
  };
}
