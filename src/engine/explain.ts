import type { UsernsMaps } from '../host/idmap.ts';
import { hostSide } from '../network/ports.ts';
import type { Field, IdMapLine, Op, Service } from '../plan/ops.ts';
import { resumePlan } from '../runtime/plan.ts';
import { type ContainerPlan, containerPlan } from './container-plan.ts';
import type { Engine } from './context.ts';
import { planRecord } from './create.ts';
import { seccompFilter } from './seccomp-filter.ts';
import type { CreateOptions } from './types.ts';

/** `run --explain`: the plan as text, in the order in which the helper performs it. */
export async function explain(engine: Engine, options: CreateOptions): Promise<string> {
  const record = await planRecord(engine, options);
  const networks =
    record.network.networks && (await import('./network-endpoints.ts')).plannedEndpoints(engine, record);
  const plan = await containerPlan(engine, record, await networks);
  const filter = await seccompFilter(engine, record);
  const user = { uid: 0, gid: 0, groups: [], home: '/root' };
  return [
    `tsbox run ${record.image.reference}: what is going to happen, in order`,
    '',
    section(
      'namespaces',
      plan.spec.linux.namespaces.map(n => [`clone3 ${n.type}`, NAMESPACE_WHY[n.type]]),
    ),
    section('id maps', mapLines(plan.maps)),
    ...plan.services.map(serviceSection),
    section('init, part one: pid 1 builds the file system', plan.init.map(opLine)),
    section(
      `init, part two: who it is and what it may${record.process.user ? ` (shown for root; -u ${record.process.user} is looked up at the barrier)` : ''}`,
      resumePlan(plan.spec, user, filter).map(opLine),
    ),
    portSection(plan),
  ]
    .filter(Boolean)
    .join('\n');
}

const NAMESPACE_WHY: Readonly<Record<string, string>> = {
  user: 'makes us root inside without being root outside; all else is owned by it',
  mount: 'mounts that vanish with the last process',
  pid: 'sees and signals only its own processes; all die with pid 1',
  uts: 'a hostname of its own',
  ipc: 'System V and POSIX queues, semaphores, shared memory of its own',
  cgroup: 'its cgroup looks like the root',
  network: 'interfaces, addresses and ports of its own',
  time: 'clocks of its own',
};

type Line = readonly [what: string, why: string | undefined];

function section(title: string, lines: readonly Line[]): string {
  const width = Math.min(64, Math.max(0, ...lines.map(([what]) => what.length)));
  const text = lines.map(
    ([what, why], i) => `  ${String(i + 1).padStart(2)}  ${what.padEnd(width)}${why ? `  # ${why}` : ''}`,
  );
  return `${title}\n${text.join('\n')}\n`;
}

function mapLines(maps: UsernsMaps): Line[] {
  const lines = (kind: string, map: readonly IdMapLine[], tool: string | undefined): Line[] =>
    map.map(l => [
      `${kind} ${l.inside} → ${l.outside} (${l.count})`,
      tool ? `written by ${tool}` : 'written to /proc directly',
    ]);
  return [...lines('uid', maps.uid, maps.uidMapper), ...lines('gid', maps.gid, maps.gidMapper)];
}

const serviceSection = (service: Service): string =>
  section(
    `beside it: ${service.name}${service.ready ? ' (the command waits for it)' : ''}`,
    service.ops.map(opLine),
  );

function portSection(plan: ContainerPlan): string {
  const ports = plan.networkRequest.ports.map(
    (p): Line => [`${hostSide(p)} → ${p.containerPort}`, 'published before the command starts'],
  );
  return ports.length > 0 ? section('ports', ports) : '';
}

const opLine = (op: Op): Line => [
  `${op.optional ? '?' : ''}${op.name} ${op.fields.map(field).join(' ')}`.trim(),
  op.why,
];

function field(value: Field): string {
  if (typeof value !== 'string') return `<${value.length} bytes>`;
  return /^[^\s"']+$/.test(value) ? value : JSON.stringify(value);
}
