import { readFileSync } from 'node:fs';
import { type Approximation, approximate } from '../cgroup/approximate.ts';
import { parseCpuList } from '../cgroup/convert.ts';
import { cgroupFacts } from '../cgroup/detect.ts';
import type { CgroupFacts, LimitOutcome, Setting } from '../cgroup/driver.ts';
import { type Group, makeContainerGroup, refuseAll } from '../cgroup/group.ts';
import { settings } from '../cgroup/limits.ts';
import { type Selected, selectCgroup } from '../cgroup/select.ts';
import { messageOf } from '../errors.ts';
import type { Spec } from '../oci/runtime-spec.ts';
import { CLONE } from '../plan/flags.ts';
import { ops } from '../plan/ops.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { ownIdentity } from '../store/containers-owner.ts';
import type { ContainerPlan } from './container-plan.ts';
import type { Engine } from './context.ts';
import type { GroupFile } from './group-file.ts';
import { GroupRecord } from './group-record.ts';
import { blockDevice } from './resources.ts';

/** How a container that is about to start comes into its control group. */
export interface GroupStart {
  /** The plan of one that will have a group of its own: it sees nothing above it. */
  prepare(plan: ContainerPlan): ContainerPlan;
  /** Makes it, for a helper that waits; returns its directory. Throws LIMIT, HOST. */
  enroll(helper: number): Promise<string | undefined>;
  /** After `enroll`: the process with what stands in for limits that could not be set. */
  adapt(spec: Spec): Spec;
  /** The helper has the container's lock: from now on its group is the container's. */
  publish(): void;
  /** The start has failed: nothing is left of what was not published. */
  discard(): void;
}

/**
 * Undefined: nothing to do, since there is neither a group to be had nor a limit to be kept. `waiting`: the helper that will most likely be
 * enrolled; where that takes the answer of another process it is begun at once.
 */
export function groupStart(
  engine: Engine,
  record: ContainerRecord,
  waiting?: number,
): GroupStart | undefined {
  const facts = cgroupFacts();
  const selected = selectCgroup(facts, engine.config.cgroup.driver);
  const wanted = settings(record.limits?.resources ?? {}, path => blockDevice(path, 'the limit of'));
  const grouped = selected.driver.name !== 'none';
  if (!grouped && wanted.length === 0) return undefined;
  let approximation: Approximation | undefined;
  let kept: GroupRecord | undefined;
  const make = async (helper: number): Promise<string | undefined> => {
    const group = await makeGroupOf(engine, record, { facts, selected, wanted, helper });
    const outcomes = group?.outcomes ?? refused(record, wanted, selected, facts);
    const near = nearTo(record, outcomes);
    approximation = near.approximation;
    kept = new GroupRecord(engine, fileOf(record, selected, group, near));
    tell(engine, near.outcomes);
    return group?.path;
  };
  const begun = selected.driver.waits && waiting !== undefined ? make(waiting) : undefined;
  // Whoever enrolls hears of it; nobody does when the start has failed for another reason.
  begun?.catch(() => {});
  return {
    prepare: plan => (grouped ? withNamespace(plan) : plan),
    enroll: helper => (begun && helper === waiting ? begun : make(helper)),
    adapt: spec => (approximation ? withApproximation(spec, approximation) : spec),
    publish: () => kept?.publish(),
    discard: () =>
      void Promise.resolve(begun)
        .catch(() => {})
        .then(() => kept?.discard()),
  };
}

/** A namespace begins at the group of whoever makes it: made by clone(2), the container would see its parent's. */
function withNamespace(plan: ContainerPlan): ContainerPlan {
  const { clone = 0 } = plan.header;
  if ((clone & CLONE.NEWCGROUP) === 0) return plan;
  const unshare = ops.unshare(CLONE.NEWCGROUP, 'its own control group is all that it sees of them');
  return {
    ...plan,
    header: { ...plan.header, clone: clone & ~CLONE.NEWCGROUP },
    init: [unshare, ...plan.init],
  };
}

interface Making {
  readonly facts: CgroupFacts;
  readonly selected: Selected;
  readonly wanted: readonly Setting[];
  readonly helper: number;
}

/** A container without limits runs without a group rather than not at all. */
async function makeGroupOf(
  engine: Engine,
  { id, limits }: ContainerRecord,
  { facts, selected, wanted, helper }: Making,
): Promise<Group | undefined> {
  try {
    return await makeContainerGroup(selected, facts, {
      containerId: id,
      settings: wanted,
      bestEffort: limits?.bestEffort ?? false,
      helper,
      ...(limits?.parent !== undefined && { parent: limits.parent }),
    });
  } catch (error) {
    if (limits !== undefined && !limits.bestEffort) throw error;
    engine.reporter.debug('engine', () => `no control group: ${messageOf(error)}`);
    return undefined;
  }
}

const refused = (
  { limits }: ContainerRecord,
  wanted: readonly Setting[],
  selected: Selected,
  facts: CgroupFacts,
): LimitOutcome[] => refuseAll(wanted, selected, facts, limits?.bestEffort ?? false);

const fileOf = (
  { id }: ContainerRecord,
  { driver }: Selected,
  group: Group | undefined,
  { outcomes, approximation }: Near,
): GroupFile => ({
  version: 1,
  id,
  driver: group ? driver.name : 'none',
  ...(group && { path: group.path }),
  ...(group?.unit !== undefined && { unit: group.unit }),
  maker: ownIdentity(),
  limits: outcomes,
  ...(Object.keys(approximation).length > 0 && { approximation }),
});

function tell(engine: Engine, outcomes: readonly LimitOutcome[]): void {
  for (const { flag, status, detail } of outcomes)
    if (status !== 'applied') engine.reporter.warn(`${flag} is ${status}: ${detail}`);
}

export function withApproximation(spec: Spec, { addressSpace, cpus, nice }: Approximation): Spec {
  const { process } = spec;
  const limit = { type: 'RLIMIT_AS', soft: addressSpace ?? -1, hard: addressSpace ?? -1 };
  return {
    ...spec,
    process: {
      ...process,
      ...(addressSpace !== undefined && { rlimits: [...(process.rlimits ?? []), limit] }),
      ...(cpus && { cpuAffinity: cpus }),
      ...(nice !== undefined && { scheduler: { policy: 'SCHED_OTHER', nice } }),
    },
  };
}

interface Near {
  readonly approximation: Approximation;
  readonly outcomes: readonly LimitOutcome[];
}

/** What stands in for limits that could not be set, where there are limits. */
const nearTo = ({ limits }: ContainerRecord, outcomes: readonly LimitOutcome[]): Near =>
  limits ? approximate(limits.resources, outcomes, onlineCpus()) : { approximation: {}, outcomes };

/** proc_pid_status(5). */
function onlineCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return parseCpuList(list ?? '') ?? [];
}
