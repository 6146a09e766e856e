/**
 * What the commands that must be quick (`run`, `start`, `exec`, `ps`, `images`, `inspect`, `logs`, `stop`, `rm`) load later than
 * at once (`await import`): it lies with the start-up code, so that they need not read the rest. A module that is missing
 * here costs a few milliseconds and nothing else; a test finds it.
 */
export const HOT: readonly string[] = [
  'src/cli/commands/exec.ts',
  'src/cli/commands/images.ts',
  'src/cli/commands/inspect.ts',
  'src/cli/commands/logs.ts',
  'src/cli/commands/ps.ts',
  'src/cli/commands/rm.ts',
  'src/cli/commands/run.ts',
  'src/cli/commands/start.ts',
  'src/cli/commands/stop.ts',
  'src/engine/after-end.ts',
  'src/engine/exec.ts',
  'src/engine/group-join.ts',
  'src/engine/group-oom.ts',
  'src/engine/group-start.ts',
  'src/engine/group-sweep.ts',
  'src/engine/images.ts',
  'src/engine/inspect.ts',
  'src/engine/logs.ts',
  'src/engine/ps.ts',
  'src/engine/remove-tree.ts',
  'src/engine/remove.ts',
  'src/engine/run.ts',
  'src/engine/start.ts',
  'src/engine/stop.ts',
  'src/engine/sweep.ts',
  'src/index.ts',
  'src/store/images.ts',
];
