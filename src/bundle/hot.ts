/**
 * What the quickest commands load later than at once (`await import`), by the pack that it lies in: they need not read the rest. What two packs need
 * lies with the start-up code. A module that is missing here costs a few milliseconds and nothing else; a test finds it.
 */
export const HOT = {
  /** `run`, `start`, `exec`, `stop`, `rm`. */
  run: [
    'src/cli/commands/auto-remove.ts',
    'src/cli/commands/exec.ts',
    'src/cli/commands/rm.ts',
    'src/cli/commands/run.ts',
    'src/cli/commands/start.ts',
    'src/cli/commands/stop.ts',
    'src/engine/after-end.ts',
    'src/engine/auto-remove.ts',
    'src/engine/exec.ts',
    'src/engine/network-sweep.ts',
    'src/engine/remove-tree.ts',
    'src/engine/remove.ts',
    'src/engine/run.ts',
    'src/engine/start.ts',
    'src/engine/stop.ts',
    'src/engine/sweep.ts',
  ],
  /** `ps`, `images`, `inspect`, `logs`, `stats`. */
  list: [
    'src/cli/commands/images.ts',
    'src/cli/commands/inspect.ts',
    'src/cli/commands/logs.ts',
    'src/cli/commands/ps.ts',
    'src/cli/commands/stats.ts',
    'src/engine/images.ts',
    'src/engine/inspect.ts',
    'src/engine/logs.ts',
    'src/engine/ps.ts',
    'src/engine/stats.ts',
  ],
  /** A container that starts in a network of the user's. */
  net: ['src/engine/network-choice.ts', 'src/engine/network-endpoints.ts', 'src/engine/network-place.ts'],
  /** A container with limits, or any where there are control groups that a user can be given. */
  group: [
    'src/engine/create-limits.ts',
    'src/engine/group-join.ts',
    'src/engine/group-oom.ts',
    'src/engine/group-start.ts',
    'src/engine/group-sweep.ts',
    'src/engine/resources.ts',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Packs that are only loaded beside another one: what both need lies there. */
export const BESIDE: Readonly<Record<string, string>> = { net: 'run', group: 'run' };

/** What all of them need. */
export const START: readonly string[] = ['src/cli/main.ts', 'src/index.ts', 'src/store/images.ts'];
