import type { Libseccomp, ScmpArg, ScmpFilter } from '../../sys/libseccomp.ts';
import { checkLength } from './assembler.ts';
import { ABIS, compileFilter, type FilterSource } from './compile.ts';
import { relayout } from './relayout.ts';
import { type Condition, type Rule, THROUGH } from './rule.ts';

/** libseccomp's numbers of enum scmp_compare (src/sys/libseccomp.ts, which must not be loaded here). */
const CMP = { NE: 1, LT: 2, LE: 3, GE: 5, GT: 6, MASKED_EQ: 7 } as const;
const ALL = (1n << 64n) - 1n;

/**
 * The filter of `source` as libseccomp makes it, behind a short part of our own for what it cannot say: numbers that no call
 * has (ENOSYS instead of the default, as runc patches it in), calls newer than the library, and calls whose rules have an
 * order (it knows no "refuse these, allow the rest"). What our part does not decide falls through to the library's, and both are
 * laid out anew as one. The result has the same effect as compileFilter's; a unit test compares them call by call. Throws RangeError as that does.
 */
export function libraryFilter(library: Libseccomp, source: FilterSource): Uint8Array {
  const plain = new Map<string, readonly Said[]>();
  for (const [name, rules] of groups(source.rules)) {
    const said = library.number(name) === undefined ? undefined : sayable(rules);
    if (said) plain.set(name, said);
  }
  const rest = libraryProgram(library, source, plain);
  const rules = source.rules.filter(rule => !plain.has(rule.name));
  const head = compileFilter({ ...source, rules, otherwise: THROUGH });
  const program = relayout(Buffer.concat([head, rest]), source.native);
  checkLength(program);
  return program;
}

interface Said {
  readonly args: readonly ScmpArg[];
  readonly ret: number;
}

/** A call's rules in the library's words: alternatives of one action. Undefined where their order matters. */
function sayable(rules: readonly Rule[]): Said[] | undefined {
  const always = rules.findIndex(rule => rule.when.length === 0);
  const used = always < 0 ? rules : rules.slice(0, always + 1);
  const ret = used[0]?.ret ?? 0;
  if (used.some(rule => rule.ret !== ret)) return undefined;
  if (always >= 0) return [{ args: [], ret }];
  const said: Said[] = [];
  for (const rule of used) {
    const args = argumentLists(rule.when);
    if (!args) return undefined;
    said.push(...args.map(list => ({ args: list, ret })));
  }
  return said;
}

/** The library takes each argument once in a rule; several values of one are several rules. */
function argumentLists(when: readonly Condition[]): ScmpArg[][] | undefined {
  if (new Set(when.map(c => c.index)).size < when.length) return undefined;
  let lists: ScmpArg[][] = [[]];
  for (const condition of when) {
    const choices = choicesOf(condition);
    if (!choices) return undefined;
    lists = lists.flatMap(list => choices.map(choice => [...list, choice]));
  }
  return lists;
}

function choicesOf(c: Condition): ScmpArg[] | undefined {
  const { index } = c;
  if ('above' in c) {
    const op = c.above === 'gt' ? (c.negate ? CMP.LE : CMP.GT) : c.negate ? CMP.LT : CMP.GE;
    return [{ index, op, a: c.value }];
  }
  if (!c.negate) return c.values.map(b => ({ index, op: CMP.MASKED_EQ, a: c.mask, b }));
  const [value] = c.values;
  return c.mask === ALL && c.values.length === 1 && value !== undefined
    ? [{ index, op: CMP.NE, a: value }]
    : undefined;
}

function libraryProgram(
  library: Libseccomp,
  source: FilterSource,
  plain: ReadonlyMap<string, readonly Said[]>,
): Uint8Array {
  const abis = ABIS[source.native].map(abi => abi.table);
  const arches = source.compat === false ? abis.slice(0, 1) : abis;
  const filter = library.filter(source.otherwise, arches);
  try {
    for (const [name, said] of plain) addRules(library, filter, source, name, said);
    return filter.program();
  } finally {
    filter.release();
  }
}

/** The library refuses a rule that says what is so in any case (EACCES). */
function addRules(
  library: Libseccomp,
  filter: ScmpFilter,
  source: FilterSource,
  name: string,
  said: readonly Said[],
): void {
  const number = library.number(name);
  for (const { args, ret } of said) {
    if (number !== undefined && ret !== source.otherwise) filter.rule(ret, number, args);
  }
}

function groups(rules: readonly Rule[]): Map<string, Rule[]> {
  const found = new Map<string, Rule[]>();
  for (const rule of rules) found.set(rule.name, [...(found.get(rule.name) ?? []), rule]);
  return found;
}
