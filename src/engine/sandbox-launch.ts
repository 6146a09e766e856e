import { mkdirSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { commandEnvironment, servePlan } from '../runtime/plan.ts';
import { type CommandServer, launchServing } from '../runtime/serve.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles, containerRuntimeDir } from './container-paths.ts';
import { containerPlan } from './container-plan.ts';
import type { Engine } from './context.ts';
import { writeEtcFiles } from './etc-files.ts';
import { imageUserOf, publishPorts, withPrimary } from './launch-container.ts';
import { helperTrace } from './machine.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { selfWith } from './self-with.ts';

/** A warm container that waits for commands. */
export interface RunningSandbox {
  readonly server: CommandServer;
  /** What every command has in its environment. */
  readonly env: readonly string[];
}

/** Starts pid 1 of a container that exists and whose storage is prepared; it serves commands in place of one of its own. */
export async function launchSandbox(engine: Engine, record: ContainerRecord): Promise<RunningSandbox> {
  mkdirSync(containerRuntimeDir(engine, record.id), { recursive: true, mode: 0o700 });
  const plan = await containerPlan(engine, record);
  for (const warning of plan.network.warnings ?? []) engine.reporter.warn(warning);
  writeEtcFiles(engine, record, plan.network);
  const files = containerFiles(record.id);
  let env: readonly string[] = [];
  const server = await launchServing(plan.helper, {
    role: 'supervise',
    header: {
      ...plan.header,
      lock: files.lock,
      state: files.state,
      // Only if this process has died: otherwise `close` removes it.
      onExit: { argv: selfWith(engine, 'rm', '-f', '-v', record.id) },
    },
    init: plan.init,
    services: plan.services,
    trace: helperTrace(engine),
    resume: async (answers, ready) => {
      if (engine.signal?.aborted) throw new TsboxError('ABORTED', `starting ${record.name} was cancelled`);
      const user = await imageUserOf(record, plan, answers);
      await publishPorts(engine, record, plan, ready);
      env = commandEnvironment(plan.spec, user);
      const groups = plan.maps.denySetgroups ? [] : withPrimary(user);
      return servePlan(plan.spec, { ...user, groups }, await seccompFilter(engine, record));
    },
  });
  return { server, env };
}
