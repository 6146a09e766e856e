import { release } from 'node:os';
import { findCapability } from '../capabilities.ts';
import { emulationRules } from './emulation.ts';
import { type Generator, generate } from './generate.ts';
import { type Member, parseProfileJson } from './profile-json.ts';
import { type Condition, ERRNO, RET, type Rule } from './rule.ts';
import type { NativeArch } from './rules.ts';

export interface ProfileOptions {
  readonly native: NativeArch;
  readonly caps: bigint;
  readonly rootEmulation: boolean;
  /** `6.1.0-13-amd64`; default: this kernel's. */
  readonly kernel?: string;
  /** Default `auto`: libseccomp where there is one. */
  readonly generator?: Generator;
}

/**
 * A profile in docker's JSON format, or runtime-spec's, as a filter. As with runc: a rule without conditions beats those
 * with; conditions on the same argument are alternatives, on different ones all must hold; names that an architecture
 * lacks are skipped; numbers that no table knows get ENOSYS where the default refuses. Throws USAGE.
 */
export async function buildProfile(json: string, options: ProfileOptions): Promise<Uint8Array> {
  const profile = parseProfileJson(json);
  const otherwise = action(profile.get('defaultAction'), profile.get('defaultErrnoRet'));
  const rules = profile
    .get('syscalls')
    .list()
    .flatMap(entry => rulesOf(entry, options));
  const ordered = [...rules.filter(r => r.when.length === 0), ...rules.filter(r => r.when.length > 0)];
  const permissive = otherwise === RET.ALLOW || otherwise === RET.LOG;
  try {
    return await generate(
      {
        native: options.native,
        rules: options.rootEmulation ? [...emulationRules(), ...ordered] : ordered,
        otherwise,
        unknown: permissive ? otherwise : RET.ERRNO | ERRNO.ENOSYS,
        compat: wantsCompat(profile, options.native),
      },
      options.generator,
    );
  } catch (error) {
    if (error instanceof RangeError) throw profile.bad(error.message);
    throw error;
  }
}

const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: RET.KILL_THREAD,
  SCMP_ACT_KILL_THREAD: RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: RET.KILL_PROCESS,
  SCMP_ACT_TRAP: RET.TRAP,
  SCMP_ACT_ERRNO: RET.ERRNO,
  SCMP_ACT_TRACE: RET.TRACE,
  SCMP_ACT_LOG: RET.LOG,
  SCMP_ACT_ALLOW: RET.ALLOW,
};

/** The names of the architectures in profiles (libseccomp's) and in `includes.arches` (Go's). */
const ARCHITECTURES = {
  x64: { native: 'SCMP_ARCH_X86_64', compat: 'SCMP_ARCH_X86', go: 'amd64' },
  arm64: { native: 'SCMP_ARCH_AARCH64', compat: 'SCMP_ARCH_ARM', go: 'arm64' },
} as const;

function action(member: Member, errnoMember: Member): number {
  if (!member.absent && member.value === 'SCMP_ACT_NOTIFY') {
    throw member.bad('SCMP_ACT_NOTIFY needs an agent that answers, which tsbox has not');
  }
  const value = member.choice(ACTIONS, 'an action');
  if (value !== RET.ERRNO && value !== RET.TRACE) return value;
  return value | errnoMember.number(4095, ERRNO.EPERM);
}

function rulesOf(entry: Member, options: ProfileOptions): Rule[] {
  const ret = action(entry.get('action'), entry.get('errnoRet'));
  const single = entry.get('name');
  const names = single.absent || single.value === '' ? entry.get('names').texts() : [single.text()];
  if (names.length === 0) throw entry.get('names').bad('names no system call');
  const conditions = entry.get('args').list().map(condition);
  if (!applies(entry, options)) return [];
  const alternatives = new Set(conditions.map(c => c.index)).size < conditions.length;
  const lists = alternatives ? conditions.map(c => [c]) : [conditions];
  return names.flatMap(name => lists.map(when => ({ name, when, ret })));
}

const ALL = (1n << 64n) - 1n;

const OPERATORS: Readonly<Record<string, (index: number, value: bigint, two: bigint) => Condition>> = {
  SCMP_CMP_EQ: (index, value) => ({ index, mask: ALL, values: [value] }),
  SCMP_CMP_NE: (index, value) => ({ index, mask: ALL, values: [value], negate: true }),
  SCMP_CMP_MASKED_EQ: (index, mask, two) => ({ index, mask, values: [two & mask] }),
  SCMP_CMP_GT: (index, value) => ({ index, above: 'gt', value }),
  SCMP_CMP_GE: (index, value) => ({ index, above: 'ge', value }),
  SCMP_CMP_LT: (index, value) => ({ index, above: 'ge', value, negate: true }),
  SCMP_CMP_LE: (index, value) => ({ index, above: 'gt', value, negate: true }),
};

function condition(member: Member): Condition {
  const make = member.get('op').choice(OPERATORS, 'an operator');
  return make(member.get('index').number(5), member.get('value').big(), member.get('valueTwo').big());
}

/** docker's `includes` must all be so, none of its `excludes` may be. */
function applies(entry: Member, options: ProfileOptions): boolean {
  const [includes, excludes] = [entry.get('includes'), entry.get('excludes')];
  return holds(includes, options, 'all') && (excludes.absent || !holds(excludes, options, 'any'));
}

function holds(filter: Member, options: ProfileOptions, how: 'all' | 'any'): boolean {
  if (filter.absent) return how === 'all';
  const arches = filter.get('arches').texts();
  const least = filter.get('minKernel');
  const found = [
    ...(arches.length > 0 ? [arches.includes(ARCHITECTURES[options.native].go)] : []),
    ...filter
      .get('caps')
      .list()
      .map(cap => hasCapability(cap, options.caps)),
    ...(least.absent ? [] : [atLeast(options.kernel ?? release(), least)]),
  ];
  return how === 'all' ? found.every(Boolean) : found.some(Boolean);
}

function hasCapability(member: Member, caps: bigint): boolean {
  const bit = findCapability(member.text());
  if (bit === undefined) throw member.bad(`${JSON.stringify(member.value)} is not a capability`);
  return (caps & bit) !== 0n;
}

function atLeast(kernel: string, member: Member): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(member.text()) ?? [];
  if (major === undefined)
    throw member.bad(`${JSON.stringify(member.value)} is not a kernel version like 4.8`);
  const [ours = 0, oursMinor = 0] = kernel.split(/[.-]/).map(Number);
  return ours > Number(major) || (ours === Number(major) && oursMinor >= Number(minor));
}

/** archMap (docker) or architectures (runtime-spec); with neither, only the native ABI, as runc has it. */
function wantsCompat(profile: Member, native: NativeArch): boolean {
  const { native: name, compat } = ARCHITECTURES[native];
  if (profile.get('architectures').texts().includes(compat)) return true;
  return profile
    .get('archMap')
    .list()
    .some(
      entry =>
        entry.get('architecture').text() === name && entry.get('subArchitectures').texts().includes(compat),
    );
}
