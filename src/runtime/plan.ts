import { ANNOTATION, type Spec } from '../oci/runtime-spec.ts';
import { MS, RLIMIT } from '../plan/flags.ts';
import { type Op, ops, optional } from '../plan/ops.ts';
import { findCapability } from './capabilities.ts';
import { deviceOps } from './devices.ts';
import { checkMaps, nestingOps, wallOps } from './isolation.ts';
import { mountOp, receivesMounts } from './mounts.ts';
import { emulationEnv, emulationOps } from './seccomp-emulation.ts';
import type { ResolvedUser } from './users.ts';

/** The files that part two of a plan needs from the image. */
export const PASSWD = '/etc/passwd';
export const GROUP = '/etc/group';

/** What other rooms add to a container's plan. */
export interface PlanParts {
  /** Storage: leaves the root file system mounted and declared (`root`). */
  readonly rootfs: readonly Op[];
  /** Network: walked before the pivot, /proc is mounted. */
  readonly network: readonly Op[];
}

/** Part one: the file system, up to the barrier. Pure. */
export function initPlan(spec: Spec, parts: PlanParts): Op[] {
  return [
    // In a user namespace nothing propagates out in any case (mount_namespaces(7): mounts of the parent are slaves).
    ...(receivesMounts(spec.mounts) ? [] : [ops.private('mounts made from here on stay in this namespace')]),
    ...oomOps(spec),
    ...parts.rootfs,
    ...spec.mounts.map(mountOp),
    ...deviceOps(spec),
    ...(emulates(spec) ? emulationOps() : []),
    // before /proc/sys is read-only, and while nothing is mounted inside /proc: the helper writes to no other file system
    ...parts.network,
    ...sysctlOps(spec),
    ...nestingOps(spec),
    ...(spec.linux.maskedPaths ?? []).map(path =>
      ops.mask(path, 'the kernel shows things here that a container must not see'),
    ),
    ...(spec.linux.readonlyPaths ?? []).map(path =>
      ops.readonly(path, 'kernel settings that a container must not change'),
    ),
    ops.mkdir(spec.process.cwd, 0o755, 'the working directory, made if the image has none'),
    ...nameOps(spec),
    ...(spec.root.readonly ? [ops.rootreadonly('--read-only')] : []),
    ...checkMaps(spec),
    ops.pivot('the image becomes /, the host is let go'),
    ...(spec.process.terminal
      ? [ops.tty("a terminal of the container's own devpts, never the caller's")]
      : []),
    ops.barrier([PASSWD, GROUP], 'wait for ids, network and ports; go on from a sealed copy of the helper'),
  ];
}

/** Part two: who it is and what it may, ending in `exec`. `filter`: the seccomp program, if any. Pure. */
export function resumePlan(spec: Spec, user: ResolvedUser, filter: Uint8Array | undefined): Op[] {
  return [
    ...(user.passwd === undefined ? [] : passwdOps(spec, user.passwd)),
    ...(spec.process.terminal ? [] : [ops.session("a session of its own: no way to the caller's terminal")]),
    ...processOps(spec, user, filter),
    ...(spec.annotations[ANNOTATION.init] === 'true'
      ? [ops.init('pid 1 only reaps and forwards signals (--init)')]
      : []),
    execOp(spec),
  ];
}

/**
 * Part two of a warm container: what holds for pid 1 and all commands, `serve`, and what each command does before what it was asked
 * for. Pid 1 keeps the rights over its commands; they get those of a container's command. Pure.
 */
export function servePlan(spec: Spec, user: ResolvedUser, filter: Uint8Array | undefined): Op[] {
  const all = processOps(spec, user, filter).filter(op => op.name !== 'chdir' && op.name !== 'env');
  // Pid 1 needs room for what all its commands read and write.
  const ofCommand = (op: Op): boolean => op.name === 'rlimit' && op.fields[0] === String(RLIMIT.as);
  const own = (op: Op): boolean =>
    ['umask', 'rlimit', 'bound', 'nonewprivs'].includes(op.name) && !ofCommand(op);
  return [
    ops.session("a session of its own: no way to the caller's terminal"),
    ...all.filter(own),
    ops.serve('pid 1 waits for commands; each is a child that goes on here'),
    ...all.filter(op => !own(op) && (op.name !== 'owner' || user.uid !== 0)),
    ops.asked('the command itself'),
  ];
}

/** The environment that `processOps` would give. */
export const commandEnvironment = (spec: Spec, user: ResolvedUser): string[] => environment(spec, user.home);

/** Where a file is made that is bound over the image's and has no name then. */
const STAGED_PASSWD = '/dev/.tsbox-passwd';

/**
 * The image's passwd with a line more, over the image's own, which is never changed. Where that is a link or missing, or /dev is
 * not ours to write to, there is no line.
 */
function passwdOps(spec: Spec, content: Uint8Array): Op[] {
  if (!spec.mounts.some(m => m.destination === '/dev' && m.type === 'tmpfs')) return [];
  const source = STAGED_PASSWD;
  return [
    ops.write(source, content, 0o644, "the image's passwd and a line for a user that it lacks"),
    optional(
      ops.bind(
        { source, target: PASSWD, flags: MS.NOSUID | MS.NODEV, how: 's' },
        'programs ask it for the name of who they are',
      ),
    ),
    ops.rmtree(source, 'it goes on under the other name alone'),
  ];
}

/** From the barrier to just before `exec`, the same for `run` and `exec`. */
export function processOps(spec: Spec, user: ResolvedUser, filter: Uint8Array | undefined): Op[] {
  const p = spec.process;
  const sets = capabilitySets(spec, user);
  return [
    ops.chdir(p.cwd, 'the working directory'),
    ops.umask(p.user.umask ?? 0o022, "docker's umask"),
    // optional: in root mode the pipes are the host root's, which no id inside may change
    ...(p.terminal ? [] : [optional(ops.owner(user.uid, user.gid, 'lets the user open /dev/stdout again'))]),
    ...rlimitOps(spec),
    ...schedulerOps(spec),
    ops.bound(sets.bounding, 'what no program in here can ever gain'),
    ...(p.noNewPrivileges ? [ops.nonewprivs('setuid programs gain nothing')] : []),
    ops.ids(user.uid, user.gid, user.groups, 'become the user'),
    ...wallOps(spec),
    ...(filter ? [ops.seccomp(filter, 'system calls a container has no use for are refused')] : []),
    ops.caps(sets, 'nothing inheritable, nothing ambient'),
    ops.env(environment(spec, user.home), "the image's environment and -e, nothing of the caller's"),
    ops.selfcheck(
      {
        ...sets,
        uid: user.uid,
        gid: user.gid,
        noNewPrivileges: p.noNewPrivileges ?? false,
        filter: filter !== undefined,
      },
      'look back: if one of these did not come about, nothing is executed',
    ),
  ];
}

/** Only root keeps capabilities over the change of ids, as docker has it. */
function capabilitySets(spec: Spec, user: ResolvedUser) {
  const caps = spec.process.capabilities;
  const root = user.uid === 0;
  return {
    bounding: mask(caps?.bounding),
    effective: root ? mask(caps?.effective) : 0n,
    permitted: root ? mask(caps?.permitted) : 0n,
    inheritable: mask(caps?.inheritable),
    ambient: mask(caps?.ambient),
  };
}

/** A name that this table lacks is a capability of a newer kernel: it is not given. */
function mask(names: readonly string[] | undefined): bigint {
  return (names ?? []).reduce((bits, name) => bits | (findCapability(name) ?? 0n), 0n);
}

export function execOp(spec: Spec): Op {
  const [program = '', ...rest] = spec.process.args;
  return ops.exec(program, [program, ...rest], 'the command');
}

const emulates = (spec: Spec): boolean => spec.annotations[ANNOTATION.rootEmulation] === 'true';

function environment(spec: Spec, home: string): string[] {
  const env = withHome(spec.process.env, home);
  return emulates(spec) ? emulationEnv(env) : env;
}

/** Docker sets HOME from passwd unless the image or the user did. */
function withHome(env: readonly string[], home: string): string[] {
  return env.some(e => e.startsWith('HOME=')) ? [...env] : [...env, `HOME=${home}`];
}

function oomOps(spec: Spec): Op[] {
  const value = spec.process.oomScoreAdj;
  return value === undefined ? [] : [ops.oomscore(value, '--oom-score-adj')];
}

function sysctlOps(spec: Spec): Op[] {
  return Object.entries(spec.linux.sysctl ?? {}).map(([key, value]) =>
    ops.procwrite(`/proc/sys/${key.replaceAll('.', '/')}`, value, '--sysctl'),
  );
}

function nameOps(spec: Spec): Op[] {
  return [
    ...(spec.hostname ? [ops.hostname(spec.hostname, "the container's own name")] : []),
    ...(spec.domainname ? [ops.domainname(spec.domainname, '--domainname')] : []),
  ];
}

function schedulerOps({ process: { scheduler, cpuAffinity } }: Spec): Op[] {
  return [
    ...(cpuAffinity ? [ops.affinity(cpuAffinity, '--limits best-effort: instead of a share of all')] : []),
    // optional: a caller who is nicer already cannot be less so
    ...(scheduler ? [optional(ops.nice(scheduler.nice, '--limits best-effort: instead of a weight'))] : []),
  ];
}

function rlimitOps(spec: Spec): Op[] {
  return (spec.process.rlimits ?? []).map(({ type, soft, hard }) => {
    const name = type.replace('RLIMIT_', '').toLowerCase() as keyof typeof RLIMIT;
    return ops.rlimit(RLIMIT[name], soft, hard, '--ulimit');
  });
}
