import { checkOf, messageOf } from '../errors.ts';
import { chooseMaps, singleMaps } from '../host/idmap.ts';
import { ownStore } from '../host/owner.ts';
import { ourUid } from '../host/paths.ts';
import { CLONE, MS } from '../plan/flags.ts';
import { ops } from '../plan/ops.ts';
import { type Answer, ok, warn } from './doctor-answer.ts';
import { type Doctor, type Step, tryPlan } from './doctor-check.ts';
import { judgeIds, judgeNamespaces } from './doctor-judge.ts';
import { inScene, PIVOT_PLAN, PROC_PLAN } from './doctor-scene.ts';

/** Namespaces, ids and what may be done inside. */
export const NAMESPACE_STEPS: readonly Step[] = [
  {
    id: 'userns',
    title: 'User namespace',
    needs: ['helper'],
    otherwise: 'userns-refused',
    check: checkUserns,
  },
  {
    id: 'idmap',
    title: 'Subordinate ids',
    needs: ['userns'],
    early: missingIds,
    otherwise: 'mapper-failed',
    check: checkIdmap,
  },
  { id: 'mount', title: 'Mounting', needs: ['userns'], otherwise: 'mount-refused', check: checkMount },
  {
    id: 'namespaces',
    title: 'Other namespaces',
    needs: ['userns'],
    otherwise: 'namespaces-missing',
    check: checkNamespaces,
  },
  {
    id: 'proc',
    title: 'New /proc',
    needs: ['mount', 'namespaces'],
    otherwise: 'proc-masked',
    check: checkProc,
  },
  { id: 'pivot_root', title: 'New root', needs: ['mount'], otherwise: 'pivot-refused', check: checkPivot },
  {
    id: 'seccomp',
    title: 'System call filter',
    needs: ['userns'],
    otherwise: 'seccomp-missing',
    check: checkSeccomp,
  },
  {
    id: 'landlock',
    title: 'Second wall (Landlock)',
    needs: ['userns'],
    otherwise: 'landlock-missing',
    check: checkLandlock,
  },
];

async function checkUserns(doctor: Doctor): Promise<Answer> {
  const maps = ourUid() === 0 ? (await chooseMaps(doctor.engine.config)).maps : singleMaps();
  ownStore(doctor.engine.paths, maps);
  await tryPlan(doctor.engine, maps, []);
  doctor.maps = maps;
  return ok('can be made');
}

/** The files and programs can be judged where no namespace can be made. */
async function missingIds({ engine }: Doctor): Promise<Answer | undefined> {
  const { maps, warning, check } = await chooseMaps(engine.config);
  if (warning === undefined) return undefined;
  return judgeIds({ mode: maps.mode, users: 1, groups: 1, warning, check });
}

async function checkIdmap(doctor: Doctor): Promise<Answer> {
  const { maps } = await chooseMaps(doctor.engine.config);
  const count = (lines: readonly { count: number }[]): number => lines.reduce((n, l) => n + l.count, 0);
  try {
    await tryPlan(doctor.engine, maps, []);
  } catch (error) {
    return warn(checkOf(error) ?? 'mapper-failed', `${messageOf(error)}: single mode is taken instead`);
  }
  doctor.maps = maps;
  return judgeIds({ mode: maps.mode, users: count(maps.uid), groups: count(maps.gid) });
}

async function checkMount(doctor: Doctor): Promise<Answer> {
  await inScene(doctor, [
    ops.private('nothing leaves this namespace'),
    ops.hostmount({ type: 'tmpfs', target: 'm', flags: MS.NOSUID | MS.NODEV }, 'the simplest mount'),
  ]);
  return ok('a user namespace can mount');
}

async function checkNamespaces(doctor: Doctor): Promise<Answer> {
  const missing: string[] = [];
  for (const [name, flag] of Object.entries(KINDS)) {
    await tryPlan(doctor.engine, mapsOf(doctor), [], flag).catch(() => missing.push(name));
  }
  return judgeNamespaces(Object.keys(KINDS), missing);
}

const KINDS = {
  pid: CLONE.NEWPID,
  net: CLONE.NEWNET,
  ipc: CLONE.NEWIPC,
  uts: CLONE.NEWUTS,
  cgroup: CLONE.NEWCGROUP,
} as const;

async function checkProc(doctor: Doctor): Promise<Answer> {
  await inScene(doctor, PROC_PLAN, CLONE.NEWPID);
  return ok('can be mounted');
}

async function checkPivot(doctor: Doctor): Promise<Answer> {
  await inScene(doctor, PIVOT_PLAN);
  return ok('pivot_root works');
}

/** `ret SECCOMP_RET_ALLOW`: struct sock_filter {u16 code; u8 jt, jf; u32 k}, little-endian on every machine we run on. */
const ALLOW_ALL = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0xff, 0x7f);

async function checkSeccomp(doctor: Doctor): Promise<Answer> {
  const plan = [
    ops.nonewprivs('as without privilege'),
    ops.seccomp(ALLOW_ALL, 'a filter that allows everything'),
  ];
  await tryPlan(doctor.engine, mapsOf(doctor), plan);
  return ok('filters can be installed');
}

/** Containers do without; only --strict asks for it. */
async function checkLandlock(doctor: Doctor): Promise<Answer> {
  const plan = [ops.nonewprivs('as without privilege'), ops.landlock(0, true, 'a wall around the root')];
  try {
    await tryPlan(doctor.engine, mapsOf(doctor), plan);
    return ok('is there');
  } catch {
    return warn('landlock-missing', 'is not there: --strict is refused');
  }
}

const mapsOf = (doctor: Doctor) => doctor.maps ?? singleMaps();
