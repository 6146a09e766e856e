import type { RunMount } from '../build/instructions.ts';
import { ops } from '../plan/ops.ts';
import type { StepMounts } from './build-run.ts';
import {
  type MountRequest,
  type OneRequest,
  type OpenMount,
  type PreparedMount,
  type PreparedMounts,
  targetOf,
} from './build-run-request.ts';
import type { BuildSession } from './build-session.ts';

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
