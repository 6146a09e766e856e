import { Assembler, DATA, type Label } from './assembler.ts';
import { ABIS } from './compile.ts';
import type { NativeArch } from './rules.ts';
import { searchTree, weights } from './search.ts';

/**
 * A filter laid out anew: libseccomp writes one comparison per call, four hundred of which have the same answer. Here the program is
 * followed for every number at which it could change its mind, with number and architecture known; what is left of it are the looks at
 * arguments. Neighbours with the same rest become one range, and ranges are found by the search of our own compiler. The effect is the
 * same for every call there can be; the program is a third as long, and each start of a container gets it installed in half the time.
 */
export function relayout(program: Uint8Array, native: NativeArch): Uint8Array {
  try {
    const made = laidOut(program, native);
    return made.length < program.length ? made : program;
  } catch (error) {
    if (error instanceof Beyond) return program;
    throw error;
  }
}

/** The program does what no maker of filters does; it stays as it is. */
class Beyond extends Error {}

function laidOut(program: Uint8Array, native: NativeArch): Uint8Array {
  const code = decode(program);
  const asm = new Assembler();
  const emit = emitter(asm);
  const rests = new Rests();
  const [foreign, more] = ranges(code, rests, FOREIGN);
  if (!foreign || more) throw new Beyond();
  let entry = emit(foreign.rest);
  for (const { audit, table } of [...ABIS[native]].reverse()) {
    const weigh = weights(table);
    const leaves = ranges(code, rests, audit).map(({ start, end, rest }) => ({
      start,
      weight: weigh(start, end),
      label: () => emit(rest),
    }));
    entry = asm.branch('eq', audit, asm.load(DATA.nr, searchTree(asm, leaves)), entry);
  }
  return asm.finish(asm.load(DATA.arch, entry));
}

/** AUDIT_ARCH_* of no machine there is: to a filter all that it does not name are alike. */
const FOREIGN = 0;

/** Instructions of linux/filter.h that filters are made of, beside comparisons. */
const CODE = { RET: 0x06, JA: 0x05, LOAD: 0x20, AND: 0x54 } as const;
const ALL = 0xffffffff;

interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

function decode(program: Uint8Array): Instruction[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: program.length / 8 }, (_, i) => ({
    code: view.getUint16(i * 8, true),
    jt: view.getUint8(i * 8 + 2),
    jf: view.getUint8(i * 8 + 3),
    k: view.getUint32(i * 8 + 4, true),
  }));
}

type Compare = 'eq' | 'gt' | 'ge';
const COMPARE: Readonly<Record<number, Compare>> = { 21: 'eq', 37: 'gt', 53: 'ge' };
const HOLDS: Readonly<Record<Compare, (a: number, k: number) => boolean>> = {
  eq: (a, k) => a === k,
  gt: (a, k) => a > k,
  ge: (a, k) => a >= k,
};

/** What is left of a program: a return, or looks at arguments. */
type Rest =
  | { readonly is: 'ret'; readonly id: number; readonly k: number }
  | { readonly is: 'load'; readonly id: number; readonly k: number; readonly next: Rest }
  | { readonly is: 'and'; readonly id: number; readonly k: number; readonly next: Rest }
  | {
      readonly is: Compare;
      readonly id: number;
      readonly k: number;
      readonly yes: Rest;
      readonly no: Rest;
    };

/** Each rest once: two that say the same are the same object. */
class Rests {
  readonly #known = new Map<string, Rest>();

  ret(k: number): Rest {
    return this.#one(`ret ${k}`, id => ({ is: 'ret', k, id }));
  }

  /** Nothing is loaded for a return, or to be loaded over. */
  step(is: 'load' | 'and', k: number, next: Rest): Rest {
    if (next.is === 'ret' || next.is === 'load') return next;
    return this.#one(`${is} ${k} ${next.id}`, id => ({ is, k, next, id }) as Rest);
  }

  branch(is: Compare, k: number, yes: Rest, no: Rest): Rest {
    if (yes === no) return yes;
    return this.#one(`${is} ${k} ${yes.id} ${no.id}`, id => ({ is, k, yes, no, id }));
  }

  #one(key: string, make: (id: number) => Rest): Rest {
    const known = this.#known.get(key) ?? make(this.#known.size);
    this.#known.set(key, known);
    return known;
  }
}

/** The accumulator: a number, or a word of the arguments and the mask that it went through. */
type Accumulator = number | { readonly offset: number; readonly mask: number };

/** The ways through the program of one call, whatever its arguments. */
class Walk {
  readonly #code: readonly Instruction[];
  readonly #rests: Rests;
  readonly #call: { readonly nr: number; readonly arch: number };
  readonly #been = new Map<string, Rest>();

  constructor(
    code: readonly Instruction[],
    rests: Rests,
    call: { readonly nr: number; readonly arch: number },
  ) {
    this.#code = code;
    this.#rests = rests;
    this.#call = call;
  }

  rest(pc = 0, a: Accumulator = 0): Rest {
    // A number leads one way; only what is read from the arguments forks.
    if (typeof a === 'number') return this.#follow(pc, a);
    const key = `${pc} ${a.offset} ${a.mask}`;
    const known = this.#been.get(key) ?? this.#follow(pc, a);
    this.#been.set(key, known);
    return known;
  }

  #follow(pc: number, a: Accumulator): Rest {
    const at = this.#code[pc];
    if (!at) throw new Beyond();
    switch (at.code) {
      case CODE.RET:
        return this.#rests.ret(at.k);
      case CODE.JA:
        return this.rest(pc + 1 + at.k, a);
      case CODE.LOAD:
        return this.#load(at.k, pc + 1, a);
      case CODE.AND:
        return this.#and(at.k, pc + 1, a);
      default:
        return this.#branch(at, pc + 1, a);
    }
  }

  #load(offset: number, next: number, a: Accumulator): Rest {
    if (offset === DATA.nr) return this.rest(next, this.#call.nr);
    if (offset === DATA.arch) return this.rest(next, this.#call.arch);
    const after = this.#code[next];
    const mask = after?.code === CODE.AND ? after.k : ALL;
    // What is wanted may be there already, from the comparison before.
    if (typeof a !== 'number' && a.offset === offset && a.mask === mask)
      return this.rest(mask === ALL ? next : next + 1, a);
    return this.#rests.step('load', offset, this.rest(next, { offset, mask: ALL }));
  }

  #and(k: number, next: number, a: Accumulator): Rest {
    // Numbers that differ in some bits only would not be neighbours.
    if (typeof a === 'number') throw new Beyond();
    const mask = (a.mask & k) >>> 0;
    if (mask === 0) return this.rest(next, 0);
    return this.#rests.step('and', k, this.rest(next, { offset: a.offset, mask }));
  }

  #branch({ code, jt, jf, k }: Instruction, next: number, a: Accumulator): Rest {
    const is = COMPARE[code];
    if (!is) throw new Beyond();
    if (typeof a === 'number') return this.rest(next + (HOLDS[is](a, k) ? jt : jf), a);
    return this.#rests.branch(is, k, this.rest(next + jt, a), this.rest(next + jf, a));
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly rest: Rest;
}

/** All numbers, divided where the program could begin to say something else: at what it compares with, and right after that. */
function ranges(code: readonly Instruction[], rests: Rests, arch: number): Range[] {
  const edges = new Set([0]);
  for (const { code: op, k } of code) if (COMPARE[op]) edges.add(k).add((k + 1) >>> 0);
  const found: { start: number; rest: Rest }[] = [];
  for (const start of [...edges].sort((a, b) => a - b)) {
    const rest = new Walk(code, rests, { nr: start, arch }).rest();
    if (found.at(-1)?.rest !== rest) found.push({ start, rest });
  }
  return found.map((one, i) => ({ ...one, end: found[i + 1]?.start ?? 2 ** 32 }));
}

/** Writes rests, each of their parts once. */
function emitter(asm: Assembler): (rest: Rest) => Label {
  const written = new Map<Rest, Label>();
  const write = (rest: Rest): Label => {
    if (rest.is === 'ret') return asm.ret(rest.k);
    if (rest.is === 'load') return asm.load(rest.k, emit(rest.next));
    if (rest.is === 'and') return asm.and(rest.k, emit(rest.next));
    const no = emit(rest.no);
    return asm.branch(rest.is, rest.k, emit(rest.yes), no);
  };
  const emit = (rest: Rest): Label => {
    const label = (rest.is !== 'ret' && written.get(rest)) || write(rest);
    written.set(rest, label);
    return label;
  };
  return emit;
}
