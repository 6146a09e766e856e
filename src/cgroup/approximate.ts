import { niceOfWeight, parseCpuList, weightOfShares } from './convert.ts';
import type { LimitOutcome, Resources } from './driver.ts';

/** What a process can be told without a control group. It is weaker than what was asked for, never stronger in kind. */
export interface Approximation {
  /** RLIMIT_AS, bytes: address space of each process by itself. */
  readonly addressSpace?: number;
  /** sched_setaffinity(2). */
  readonly cpus?: readonly number[];
  readonly nice?: number;
}

export interface Approximated {
  readonly approximation: Approximation;
  readonly outcomes: readonly LimitOutcome[];
}

/**
 * Replaces refused limits by what comes near (`--limits best-effort`). Pure; `online` are the processors that this process may use. What nothing comes near
 * to stays refused: RLIMIT_NPROC counts all of a user's processes, and there is no limit of input and output without a group.
 */
export function approximate(
  resources: Resources,
  outcomes: readonly LimitOutcome[],
  online: readonly number[],
): Approximated {
  const approximation: Approximation = {};
  const told = outcomes.map(outcome => {
    const near = outcome.status === 'applied' ? undefined : nearTo(outcome.flag, resources, online);
    if (near === undefined) return outcome;
    Object.assign(approximation, near.part);
    return { flag: outcome.flag, status: 'approximated', detail: near.detail } as const;
  });
  return { approximation, outcomes: told };
}

interface Near {
  readonly part: Approximation;
  readonly detail: string;
}

function nearTo(flag: string, r: Resources, online: readonly number[]): Near | undefined {
  switch (flag) {
    case '--memory':
      return r.memory ? addressSpace(r.memory) : undefined;
    case '--cpuset-cpus':
      return affinity(parseCpuList(r.cpusetCpus ?? ''), online);
    case '--cpus':
    case '--cpu-quota':
      return r.cpusetCpus ? undefined : affinity(online.slice(0, Math.ceil(processors(r))), online);
    case '--cpu-shares':
      return niceness(weightOfShares(r.cpuShares ?? 1024));
    case '--cpu-weight':
      return niceness(r.cpuWeight ?? 100);
    default:
      return undefined;
  }
}

const addressSpace = (bytes: number): Near => ({
  part: { addressSpace: bytes },
  detail: 'RLIMIT_AS: the address space of each process, not what all of them use together',
});

function affinity(cpus: readonly number[] | undefined, online: readonly number[]): Near | undefined {
  const usable = cpus?.filter(cpu => online.includes(cpu)) ?? [];
  if (usable.length === 0) return undefined;
  return {
    part: { cpus: usable },
    detail: `sched_setaffinity: processors ${usable.join(',')}, which processes inside can change`,
  };
}

/** A weight above everybody's would need a privilege. */
function niceness(weight: number): Near | undefined {
  const nice = niceOfWeight(weight);
  if (weight > 100) return undefined;
  return { part: { nice }, detail: `nice ${nice}: each process by itself` };
}

function processors({ nanoCpus, cpuQuota, cpuPeriod }: Resources): number {
  if (nanoCpus) return nanoCpus / 1e9;
  return cpuQuota && cpuQuota > 0 ? cpuQuota / (cpuPeriod || 100_000) : Number.POSITIVE_INFINITY;
}
