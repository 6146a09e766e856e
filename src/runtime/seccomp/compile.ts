import { Assembler, checkLength, DATA, type Label } from './assembler.ts';
import { type Compared, type Condition, ERRNO, type Masked, RET, type Rule } from './rule.ts';
import type { NativeArch } from './rules.ts';
import { eachSyscall, searchTree, weightOf } from './search.ts';
import type { SYSCALL_TABLES } from './tables.ts';

/** AUDIT_ARCH_* (linux/audit.h) and the table of each ABI that a kernel of this architecture runs. */
export const ABIS = {
  x64: [
    { audit: 0xc000003e, table: 'x64' },
    { audit: 0x40000003, table: 'ia32' },
  ],
  arm64: [
    { audit: 0xc00000b7, table: 'arm64' },
    { audit: 0x40000028, table: 'arm' },
  ],
} as const;

export interface FilterSource {
  readonly native: NativeArch;
  /** The first rule of a call whose conditions hold decides. Names that an architecture lacks are skipped there. */
  readonly rules: readonly Rule[];
  /** For calls that no rule decides. `THROUGH`: go on behind the end of the program. */
  readonly otherwise: number;
  /** Numbers that no call has. Default ENOSYS, so that a newer libc falls back. */
  readonly unknown?: number;
  /** Without it, calls through the 32-bit ABI get ENOSYS. Default true. */
  readonly compat?: boolean;
}

/**
 * A seccomp filter: array of struct sock_filter. Numbers are found by a binary search that is balanced by how often a
 * call is made; kernels from 5.11 remember calls that are always allowed and do not even run it for them.
 * The x32 ABI (bit 30 of the number, on x86-64) is nothing but unknown numbers here. A foreign architecture ends the process. Throws
 * RangeError when the program would be longer than the kernel takes.
 */
export function compileFilter(source: FilterSource): Uint8Array {
  const asm = new Assembler();
  const unknown = source.unknown ?? RET.ERRNO | ERRNO.ENOSYS;
  const byName = groupByName(source.rules);
  let entry = asm.ret(RET.KILL_PROCESS);
  for (const abi of [...ABIS[source.native]].reverse()) {
    const skip = source.compat === false && abi.table !== source.native;
    const search = skip
      ? asm.ret(RET.ERRNO | ERRNO.ENOSYS)
      : asm.load(DATA.nr, searchTree(asm, leaves(asm, ranges(abi.table, byName, source.otherwise, unknown))));
    entry = asm.branch('eq', abi.audit, search, entry);
  }
  const program = asm.finish(asm.load(DATA.arch, entry));
  checkLength(program);
  return program;
}

/** Numbers from `start` to the next range's that share one verdict. */
interface Range {
  readonly start: number;
  /** Empty for a verdict without conditions. */
  readonly rules: readonly Rule[];
  readonly otherwise: number;
  weight: number;
}

function groupByName(rules: readonly Rule[]): Map<string, Rule[]> {
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const group = groups.get(rule.name);
    if (group) group.push(rule);
    else groups.set(rule.name, [rule]);
  }
  return groups;
}

function ranges(
  table: keyof typeof SYSCALL_TABLES,
  byName: ReadonlyMap<string, readonly Rule[]>,
  otherwise: number,
  unknown: number,
): Range[] {
  const found: Range[] = [];
  const add = (start: number, rules: readonly Rule[], final: number, weight: number): void => {
    const last = found.at(-1);
    const same = last && last.rules.length === 0 && rules.length === 0 && last.otherwise === final;
    if (same) last.weight += weight;
    else found.push({ start, rules, otherwise: final, weight });
  };
  let next = 0;
  eachSyscall(table, (number, names) => {
    if (number > next) add(next, [], unknown, 1);
    const verdict = decide(
      names.flatMap(name => byName.get(name) ?? []),
      otherwise,
    );
    add(number, verdict.rules, verdict.final, weightOf(names));
    next = number + 1;
  });
  add(next, [], unknown, 1);
  return found;
}

/** Rules up to the first one that has no conditions; that one, or `otherwise`, is the end of the chain. */
function decide(rules: readonly Rule[], otherwise: number): { rules: readonly Rule[]; final: number } {
  const last = rules.findIndex(rule => rule.when.length === 0);
  if (last < 0) return { rules, final: otherwise };
  return { rules: rules.slice(0, last), final: rules[last]?.ret ?? otherwise };
}

const leaves = (asm: Assembler, all: readonly Range[]) =>
  all.map(range => ({ start: range.start, weight: range.weight, label: () => chain(asm, range) }));

function chain(asm: Assembler, range: Range): Label {
  let next = asm.ret(range.otherwise);
  for (const rule of [...range.rules].reverse()) {
    let yes = asm.ret(rule.ret);
    for (const condition of [...rule.when].reverse()) yes = test(asm, condition, yes, next);
    next = yes;
  }
  return next;
}

function test(asm: Assembler, condition: Condition, yes: Label, no: Label): Label {
  const [hit, miss] = condition.negate ? [no, yes] : [yes, no];
  return 'mask' in condition ? masked(asm, condition, hit, miss) : compared(asm, condition, hit, miss);
}

const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn);

function masked(asm: Assembler, c: Masked, yes: Label, no: Label): Label {
  const word = (offset: number, mask: number, next: Label): Label =>
    asm.load(offset, mask === 0xffffffff ? next : asm.and(mask, next));
  if (high(c.mask) === 0) {
    const values = c.values.filter(v => high(v) === 0).reverse();
    const compare = values.reduce((next, v) => asm.branch('eq', low(v), yes, next), no);
    return values.length === 0 ? no : word(DATA.argLow(c.index), low(c.mask), compare);
  }
  return [...c.values].reverse().reduce((next, v) => {
    const lowWord = word(DATA.argLow(c.index), low(c.mask), asm.branch('eq', low(v), yes, next));
    return word(DATA.argHigh(c.index), high(c.mask), asm.branch('eq', high(v), lowWord, next));
  }, no);
}

function compared(asm: Assembler, c: Compared, yes: Label, no: Label): Label {
  const lowWord = asm.load(DATA.argLow(c.index), asm.branch(c.above, low(c.value), yes, no));
  const equal = asm.branch('eq', high(c.value), lowWord, no);
  return asm.load(DATA.argHigh(c.index), asm.branch('gt', high(c.value), yes, equal));
}
