import { cgroupFacts } from '../cgroup/detect.ts';
import type { CgroupFacts } from '../cgroup/driver.ts';
import { findingOf } from '../cgroup/refusal.ts';
import { type Selected, selectCgroup } from '../cgroup/select.ts';
import { type HostCheck, TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { capabilityBit, resolveCapabilities } from '../runtime/capabilities.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';

/** What a container must be able to be limited in. */
const LIMITED = ['memory', 'pids', 'cpu'];

/**
 * `--strict`: throws HOST with everything that would not be enforced, before anything of the container is started. Landlock is left to the
 * kernel: there the operation itself must succeed.
 */
export function checkStrict(engine: Engine, record: ContainerRecord, maps: UsernsMaps): void {
  const facts = cgroupFacts();
  const { problems, check } = strictProblems(
    record,
    maps,
    selectCgroup(facts, engine.config.cgroup.driver),
    facts,
  );
  if (problems.length === 0) return;
  throw new TsboxError('HOST', `--strict: not started, since ${problems.join('; ')}`, {
    hint: 'docs/isolation.md says what --strict asks for; or leave --strict out',
    check,
  });
}

/** Each as a clause, and which of doctor’s findings says more of the first that the machine lacks; none: every wall stands. */
export function strictProblems(
  record: ContainerRecord,
  maps: Pick<UsernsMaps, 'mode'>,
  group: Selected,
  facts: CgroupFacts,
): { readonly problems: readonly string[]; readonly check: HostCheck | undefined } {
  const missing = missingHere(maps, group, facts);
  return {
    problems: [...givenAway(record), ...missing.map(each => each.problem)],
    check: missing[0]?.check,
  };
}

/** What the flags themselves take down. */
function givenAway(record: ContainerRecord): string[] {
  const caps = resolveCapabilities({
    add: record.capAdd,
    drop: record.capDrop,
    privileged: record.privileged,
  });
  const flags: [string, boolean][] = [
    ['--privileged', record.privileged],
    ['--cap-add SYS_ADMIN', !record.privileged && (caps & capabilityBit('SYS_ADMIN')) !== 0n],
    ['--security-opt seccomp=unconfined', !record.privileged && record.seccomp === 'unconfined'],
    ['--security-opt systempaths=unconfined', record.systemPaths !== undefined],
    ['--security-opt userns=allow', record.nestedUserns === true],
    ['--security-opt no-new-privileges=false', !record.noNewPrivileges],
    // 1 is the value at which the kernel hands no dump to a program of the machine.
    ['--ulimit core', record.ulimits.some(limit => limit.name === 'core' && limit.hard !== 1)],
    ['--network host', record.network.driver === 'host'],
    ['--pid host', record.namespaces?.pid === 'host'],
    ['--pid container:', record.namespaces?.pid?.startsWith('container:') === true],
    ['--ipc host', record.namespaces?.ipc === 'host'],
    ['--ipc container:', record.namespaces?.ipc?.startsWith('container:') === true],
    ['--uts host', record.namespaces?.uts === 'host'],
    ['--cgroupns host', record.namespaces?.cgroup === 'host'],
  ];
  return flags.filter(([, given]) => given).map(([flag]) => `${flag} gives a wall away`);
}

interface Missing {
  readonly problem: string;
  readonly check: HostCheck;
}

function missingHere(maps: Pick<UsernsMaps, 'mode'>, group: Selected, facts: CgroupFacts): Missing[] {
  const single = 'there is one user id: users inside are not kept apart from one another';
  const unlimited = limitsMissing(group);
  return [
    ...(maps.mode === 'single' ? [{ problem: single, check: 'subid-missing' as const }] : []),
    ...(unlimited === undefined ? [] : [{ problem: unlimited, check: findingOf(group, facts) }]),
  ];
}

function limitsMissing({ driver, probe }: Selected): string | undefined {
  if (driver.name === 'none')
    return 'no control group is delegated: memory, processes and CPU cannot be limited';
  const lacks = LIMITED.filter(controller => !probe.controllers.includes(controller));
  return lacks.length > 0
    ? `the control group that is delegated cannot limit ${lacks.join(', ')}`
    : undefined;
}
