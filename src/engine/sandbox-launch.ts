import { mkdirSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { isUnified } from '../host/probe.ts';
import { commandEnvironment, servePlan } from '../runtime/plan.ts';
import { type CommandServer, launchServing } from '../runtime/serve.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { withCleanup } from '../util/cleanup.ts';
import { containerFiles, containerRuntimeDir } from './container-paths.ts';
import { type ContainerPlan, containerPlan } from './container-plan.ts';
import type { Engine } from './context.ts';
import { writeEtcFiles } from './etc-files.ts';
import { parseGroupFile } from './group-file.ts';
import type { GroupStart } from './group-start.ts';
import { endpointsOf, imageUserOf, publishPorts, startOf, withPrimary } from './launch-container.ts';
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
export function launchSandbox(engine: Engine, record: ContainerRecord): Promise<RunningSandbox> {
  return withCleanup(async cleanup => {
    mkdirSync(containerRuntimeDir(engine, record.id), { recursive: true, mode: 0o700 });
    const limited = record.limits || isUnified();
    if (limited) cleanup.push(() => dropGroupOf(engine, record));
    const group = limited ? await startOf(engine, record, undefined) : undefined;
    cleanup.push(() => group?.discard());
    if (record.network.networks) cleanup.push(() => letGo(engine, record));
    const planned = await containerPlan(engine, record, await endpointsOf(engine, record));
    const plan = group ? group.prepare(planned) : planned;
    if (record.strict) (await import('./strict.ts')).checkStrict(engine, record, plan.maps);
    for (const warning of plan.network.warnings ?? []) engine.reporter.warn(warning);
    writeEtcFiles(engine, record, plan.network);
    return serving(engine, record, plan, group);
  });
}

async function serving(
  engine: Engine,
  record: ContainerRecord,
  plan: ContainerPlan,
  group: GroupStart | undefined,
): Promise<RunningSandbox> {
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
    ...(group && { enroll: helper => group.enroll(helper) }),
    resume: async (answers, ready) => {
      if (engine.signal?.aborted) throw new TsboxError('ABORTED', `starting ${record.name} was cancelled`);
      group?.publish();
      const user = await imageUserOf(record, plan, answers);
      await publishPorts(engine, record, plan, ready);
      const spec = group ? group.adapt(plan.spec) : plan.spec;
      env = commandEnvironment(spec, user);
      const groups = plan.maps.denySetgroups ? [] : withPrimary(user);
      return servePlan(spec, { ...user, groups }, await seccompFilter(engine, record));
    },
  });
  return { server, env };
}

/** What nothing of it runs in any more. A process that makes many of them lives on, and the sweep spares what is of the living. */
export async function dropGroupOf(engine: Engine, { id }: ContainerRecord): Promise<void> {
  const group = parseGroupFile(engine, id);
  if (group) (await import('./group-sweep.ts')).dropGroup(engine, id, group);
}

async function letGo(engine: Engine, { id }: ContainerRecord): Promise<void> {
  await (await import('./network-endpoints.ts')).releaseEndpoints(engine, id);
}
