/** What rules are made of: SECCOMP_RET_* (linux/seccomp.h), errno numbers, conditions on arguments. */

export const RET = {
  KILL_PROCESS: 0x80000000,
  KILL_THREAD: 0x00000000,
  TRAP: 0x00030000,
  ERRNO: 0x00050000,
  TRACE: 0x7ff00000,
  LOG: 0x7ffc0000,
  ALLOW: 0x7fff0000,
} as const;

/** No return value but a jump behind the end of the program, where another one follows (library.ts). */
export const THROUGH = -1;

/** The same numbers on every architecture that tsbox runs on. */
export const ERRNO = { EPERM: 1, ENOSYS: 38 } as const;

/** `(argument & mask)` is one of the values; negated: none of them. */
export interface Masked {
  readonly index: number;
  readonly mask: bigint;
  readonly values: readonly bigint[];
  readonly negate?: boolean;
}

/** The whole 64-bit argument, unsigned, is greater (or equal); negated: it is not. */
export interface Compared {
  readonly index: number;
  readonly above: 'gt' | 'ge';
  readonly value: bigint;
  readonly negate?: boolean;
}

export type Condition = Masked | Compared;

/** If all conditions hold, the call ends with this return value of a filter. */
export interface Rule {
  readonly name: string;
  readonly when: readonly Condition[];
  readonly ret: number;
}

/** An argument that the kernel takes as an int: its upper half is nothing to the kernel, so it is nothing to us. */
export const low32 = (index: number, values: readonly number[]): Masked => ({
  index,
  mask: 0xffffffffn,
  values: values.map(BigInt),
});
