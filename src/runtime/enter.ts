import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { spawnHelper } from '../host/spawn.ts';
import { CLONE } from '../plan/flags.ts';
import type { Op, Service } from '../plan/ops.ts';
import { Channel, type Trace } from './channel.ts';
import { describeFailure } from './failure.ts';
import { requestRecords } from './header.ts';
import { StreamLink } from './link.ts';

export interface EnterHost {
  /** Absolute path of the helper. */
  readonly helper: string;
  /** Where relative paths of the plan start: the store's root. */
  readonly cwd: string;
  readonly maps: UsernsMaps;
  readonly trace?: Trace;
}

export interface EnterOptions {
  /** Shown by ps. */
  readonly name: string;
  /** Descriptors 0 to 2 of the plan's `exec`; default: ignore, pipe, pipe. */
  readonly stdio?: readonly [
    'pipe' | 'ignore' | 'inherit' | number,
    'pipe' | 'ignore' | 'inherit' | number,
    'pipe' | 'ignore' | 'inherit' | number,
  ];
  /** Further pipes, passed through as descriptors 4, 5, …; read and written through `child.stdio`. */
  readonly pipes?: number;
  /** More CLONE_NEW* bits than user and mount. */
  readonly clone?: number;
  /** Processes beside it (a FUSE server). */
  readonly services?: readonly Service[];
  /** A file that is locked as long as it runs; held by somebody else: BAD_STATE. */
  readonly lock?: string;
  /** No namespaces of its own: the plan's `join` enters those of this process. */
  readonly target?: { readonly pid: number; readonly start: number };
}

export interface EnterProcess {
  readonly child: ChildProcess;
  /**
   * Resolves with the status of the plan's `exec` (0 for a plan without one), once its output has been read if it is
   * piped. Rejects with the operation that failed.
   */
  readonly result: Promise<number>;
}

/** Walks a plan in a new user + mount namespace with the same id maps as containers have (`tsbox: enter`). */
export function enter(host: EnterHost, plan: readonly Op[], options: EnterOptions): EnterProcess {
  const extra = Array.from({ length: options.pipes ?? 0 }, (_, i) => i + 4);
  const child = spawnHelper(host.helper, ['enter', options.name], {
    argv0: 'tsbox:',
    stdio: [...(options.stdio ?? ['ignore', 'pipe', 'pipe']), 'pipe', ...extra.map(() => 'pipe' as const)],
  });
  const closed = new Promise<{ status: number; error?: Error }>(resolve => {
    child.once('error', error => resolve({ status: 125, error }));
    child.once('close', (status, signal) =>
      resolve({ status: status ?? (signal === 'SIGKILL' ? 137 : 143) }),
    );
  });
  const channel = new Channel(new StreamLink(child.stdio[3] as Duplex), host.trace);
  const header = {
    id: options.name,
    cwd: host.cwd,
    ...(options.target
      ? { target: options.target }
      : { clone: CLONE.NEWUSER | CLONE.NEWNS | (options.clone ?? 0), maps: host.maps }),
    ...(options.lock !== undefined && { lock: options.lock }),
    keepFds: extra,
  };
  channel.send(requestRecords(header, plan, options.services));
  return { child, result: follow(channel, plan, closed, options.services) };
}

async function follow(
  channel: Channel,
  plan: readonly Op[],
  closed: Promise<{ status: number; error?: Error }>,
  services: readonly Service[] = [],
): Promise<number> {
  for (let event = await channel.next(); event; event = await channel.next()) {
    if (event.type === 'failed') {
      await closed;
      const failed = event.plan;
      throw describeFailure({ ...event, ops: services.find(s => s.name === failed)?.ops ?? plan });
    }
    if (event.type === 'service' && !event.ready) {
      await closed;
      throw new TsboxError('STORAGE', `${event.name} ended too early: ${event.detail}`, {
        check: 'fuse-overlayfs-failed',
      });
    }
  }
  const { status, error } = await closed;
  if (error)
    throw new TsboxError('LAUNCH', `the helper cannot be started: ${error.message}`, {
      cause: error,
      check: 'helper-broken',
    });
  return status;
}
