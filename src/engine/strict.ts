import { cgroupFacts } from '../cgroup/detect.ts';
import { findingOf } from '../cgroup/refusal.ts';
import { selectCgroup } from '../cgroup/select.ts';
import { type HostCheck, TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { capabilityBit, resolveCapabilities } from '../runtime/capabilities.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';

/**
 * `--strict`: throws HOST with everything that would not be enforced, before anything of the container is started. Landlock is left to the
 * kernel: there the operation itself must succeed.
 */
export function checkStrict(engine: Engine, record: ContainerRecord, maps: UsernsMaps): void {
  const missing = missingHere(engine, maps);
  const problems = [...givenAway(record), ...missing.map(each => each.problem)];
  if (problems.length === 0) return;
  throw new TsboxError('HOST', `--strict: not started, since ${problems.join('; ')}`, {
    hint: 'docs/isolation.md says what --strict asks for; or leave --strict out',
    check: missing[0]?.check,
  });
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

function missingHere(engine: Engine, maps: UsernsMaps): Missing[] {
  const facts = cgroupFacts();
  const selected = selectCgroup(facts, engine.config.cgroup.driver);
  return [
    ...(maps.mode === 'single'
      ? [
          {
            problem: 'there is one user id: users inside are not kept apart from one another',
            check: 'subid-missing' as const,
          },
        ]
      : []),
    ...(selected.driver.name === 'none'
      ? [
          {
            problem: 'no control group is delegated: memory, processes and CPU cannot be limited',
            check: findingOf(selected, facts),
          },
        ]
      : []),
  ];
}
