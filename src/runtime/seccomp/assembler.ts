import { THROUGH } from './rule.ts';

/**
 * Classic BPF (linux/filter.h), written from the end to the beginning: every target of a jump is already there when the
 * jump is written, so distances are known at once. A conditional jump reaches 255 instructions; farther targets go
 * through an unconditional one.
 */
const LD_ABS = 0x20;
const AND_K = 0x54;
const JA = 0x05;
const JEQ_K = 0x15;
const JGT_K = 0x25;
const JGE_K = 0x35;
const RET_K = 0x06;

/** Where an instruction is, counted from the end of the program. */
export type Label = number;

/** Offsets in struct seccomp_data. Both architectures here are little-endian. */
export const DATA = {
  nr: 0,
  arch: 4,
  argLow: (i: number) => 16 + 8 * i,
  argHigh: (i: number) => 20 + 8 * i,
} as const;

/** The kernel's BPF_MAXINSNS. */
export const MAX_INSTRUCTIONS = 4096;

/** Throws RangeError for a program that the kernel would refuse. */
export function checkLength(program: Uint8Array): void {
  if (program.length / 8 <= MAX_INSTRUCTIONS) return;
  throw new RangeError(
    `the filter has ${program.length / 8} instructions, the kernel takes ${MAX_INSTRUCTIONS}`,
  );
}

const JUMPS = { eq: JEQ_K, gt: JGT_K, ge: JGE_K } as const;

export class Assembler {
  /** Code, jt, jf, k of each instruction, the last one first. */
  readonly #code: number[] = [];
  readonly #returns = new Map<number, Label>();
  readonly #trampolines = new Map<Label, Label>();

  /** `return value`; one that is near enough is used again. THROUGH is where the next instruction after the program would be. */
  ret(value: number): Label {
    if (value === THROUGH) return -1;
    const known = this.#returns.get(value);
    if (known !== undefined && this.#distance(known) < 200) return known;
    const label = this.#emit(RET_K, 0, 0, value);
    this.#returns.set(value, label);
    return label;
  }

  /** Load a 32-bit word of struct seccomp_data, then go on at `next`. */
  load(offset: number, next: Label): Label {
    this.#follow(next);
    return this.#emit(LD_ABS, 0, 0, offset);
  }

  and(mask: number, next: Label): Label {
    this.#follow(next);
    return this.#emit(AND_K, 0, 0, mask);
  }

  /** Compare the accumulator, unsigned, with a constant. */
  branch(op: keyof typeof JUMPS, value: number, yes: Label, no: Label): Label {
    if (yes === no) return yes;
    const [first, second] = [this.#near(yes), this.#near(no)];
    return this.#emit(JUMPS[op], this.#distance(first), this.#distance(second), value);
  }

  /** The program from `entry`, as an array of struct sock_filter. */
  finish(entry: Label): Uint8Array {
    this.#follow(entry);
    const count = this.#code.length / 4;
    const view = new DataView(new ArrayBuffer(count * 8));
    for (let i = 0; i < count; i++) {
      const at = (count - 1 - i) * 4;
      view.setUint16(i * 8, this.#code[at] ?? 0, true);
      view.setUint8(i * 8 + 2, this.#code[at + 1] ?? 0);
      view.setUint8(i * 8 + 3, this.#code[at + 2] ?? 0);
      view.setUint32(i * 8 + 4, this.#code[at + 3] ?? 0, true);
    }
    return new Uint8Array(view.buffer);
  }

  /** The label, or a jump to it that a conditional one can reach, also when one more jump is put in between. */
  #near(label: Label): Label {
    if (this.#distance(label) <= 250) return label;
    const known = this.#trampolines.get(label);
    if (known !== undefined && this.#distance(known) <= 250) return known;
    const made = this.#jump(label);
    this.#trampolines.set(label, made);
    return made;
  }

  /** Instructions that the next one to be written must skip to reach the label. */
  #distance(label: Label): number {
    return this.#code.length / 4 - label - 1;
  }

  /** Makes `next` the instruction right after the one to be written. */
  #follow(next: Label): void {
    if (this.#distance(next) !== 0) this.#jump(next);
  }

  #jump(label: Label): Label {
    return this.#emit(JA, 0, 0, this.#distance(label));
  }

  #emit(code: number, jt: number, jf: number, k: number): Label {
    this.#code.push(code, jt, jf, k >>> 0);
    return this.#code.length / 4 - 1;
  }
}
