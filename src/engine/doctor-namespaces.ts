import { messageOf } from '../errors.ts';
import { chooseMaps, singleMaps } from '../host/idmap.ts';
import { ownStore } from '../host/owner.ts';
import { ourUid } from '../host/paths.ts';
import { usernsSysctls } from '../host/probe.ts';
import { CLONE, MS } from '../plan/flags.ts';
import { ops } from '../plan/ops.ts';
import { type Answer, type Doctor, fail, ok, type Step, tryPlan, warn } from './doctor-check.ts';
import { inScene, PIVOT_PLAN, PROC_PLAN } from './doctor-scene.ts';

/** Namespaces, ids and what may be done inside. */
export const NAMESPACE_STEPS: readonly Step[] = [
  { id: 'userns', title: 'User namespace', needs: ['helper'], check: checkUserns },
  { id: 'idmap', title: 'Subordinate ids', needs: ['userns'], check: checkIdmap },
  { id: 'mount', title: 'Mounting', needs: ['userns'], check: checkMount },
  { id: 'namespaces', title: 'Other namespaces', needs: ['userns'], check: checkNamespaces },
  { id: 'proc', title: 'New /proc', needs: ['mount', 'namespaces'], check: checkProc },
  { id: 'pivot_root', title: 'New root', needs: ['mount'], check: checkPivot },
  { id: 'seccomp', title: 'System call filter', needs: ['userns'], check: checkSeccomp },
];

async function checkUserns(doctor: Doctor): Promise<Answer> {
  const maps = ourUid() === 0 ? (await chooseMaps(doctor.engine.config)).maps : singleMaps();
  ownStore(doctor.engine.paths, maps);
  try {
    await tryPlan(doctor.engine, maps, []);
  } catch (error) {
    return closedUserns(messageOf(error));
  }
  doctor.maps = maps;
  return ok('can be made');
}

function closedUserns(reason: string): Answer {
  const { unprivilegedClone, maxNamespaces, apparmorRestrict } = usernsSysctls();
  if (unprivilegedClone === 0) {
    return fail(
      'kernel.unprivileged_userns_clone is 0',
      'as administrator: sysctl -w kernel.unprivileged_userns_clone=1',
    );
  }
  if (maxNamespaces === 0) {
    return fail(
      'user.max_user_namespaces is 0',
      'as administrator: sysctl -w user.max_user_namespaces=15000',
    );
  }
  if (apparmorRestrict === 1) return fail(`AppArmor: ${reason}`, APPARMOR);
  return fail(
    reason,
    'a seccomp filter of an outer container may forbid it; docs/host-setup.md, User namespaces',
  );
}

const APPARMOR =
  'as administrator: install the profile of docs/host-setup.md (AppArmor), or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';

async function checkIdmap(doctor: Doctor): Promise<Answer> {
  const { maps, warning } = await chooseMaps(doctor.engine.config);
  const count = (lines: readonly { count: number }[]): number => lines.reduce((n, l) => n + l.count, 0);
  const summary = `${maps.mode}: ${count(maps.uid)} user ids, ${count(maps.gid)} group ids`;
  if (warning !== undefined) {
    const [detail = warning, hint] = warning.split('; ');
    return warn(detail, hint);
  }
  try {
    await tryPlan(doctor.engine, maps, []);
  } catch (error) {
    return warn(`${messageOf(error)}: single mode is taken instead`, 'docs/host-setup.md, Subordinate ids');
  }
  doctor.maps = maps;
  return ok(summary);
}

async function checkMount(doctor: Doctor): Promise<Answer> {
  const plan = [
    ops.private('nothing leaves this namespace'),
    ops.hostmount({ type: 'tmpfs', target: 'm', flags: MS.NOSUID | MS.NODEV }, 'the simplest mount'),
  ];
  try {
    await inScene(doctor, plan);
    return ok('a user namespace can mount');
  } catch (error) {
    // Ubuntu: the namespace is made, then AppArmor takes every capability in it away.
    const restricted = usernsSysctls().apparmorRestrict === 1;
    return restricted
      ? fail('AppArmor lets the user namespace be made and then nothing be mounted in it', APPARMOR)
      : fail(messageOf(error), 'docs/host-setup.md, User namespaces');
  }
}

/** Each is made alone, so that the one that is missing can be named. */
async function checkNamespaces(doctor: Doctor): Promise<Answer> {
  const missing: string[] = [];
  for (const [name, flag] of Object.entries(KINDS)) {
    await tryPlan(doctor.engine, mapsOf(doctor), [], flag).catch(() => missing.push(name));
  }
  if (missing.length === 0) return ok(Object.keys(KINDS).join(', '));
  return fail(
    `cannot be made: ${missing.join(', ')}`,
    'the kernel is built without them, or their number is limited: sysctl user',
  );
}

const KINDS = {
  pid: CLONE.NEWPID,
  net: CLONE.NEWNET,
  ipc: CLONE.NEWIPC,
  uts: CLONE.NEWUTS,
  cgroup: CLONE.NEWCGROUP,
} as const;

async function checkProc(doctor: Doctor): Promise<Answer> {
  try {
    await inScene(doctor, PROC_PLAN, CLONE.NEWPID);
    return ok('can be mounted');
  } catch (error) {
    return fail(
      messageOf(error),
      'this machine’s own /proc is partly hidden (an outer container); docs/host-setup.md, Inside a container',
    );
  }
}

async function checkPivot(doctor: Doctor): Promise<Answer> {
  try {
    await inScene(doctor, PIVOT_PLAN);
    return ok('pivot_root works');
  } catch (error) {
    return fail(messageOf(error), 'tsbox must not be started in a chroot or on an initramfs');
  }
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

const mapsOf = (doctor: Doctor) => doctor.maps ?? singleMaps();
