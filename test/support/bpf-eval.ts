/**
 * An interpreter for the part of classic BPF that seccomp takes (linux/filter.h, seccomp(2)), independent of the
 * assembler under test, and names for looking at filters by system call.
 */
import { eachSyscall } from '../../src/runtime/seccomp/search.ts';

export const AUDIT = { x64: 0xc000003e, ia32: 0x40000003, arm64: 0xc00000b7, arm: 0x40000028 } as const;
export type Abi = keyof typeof AUDIT;

export interface Call {
  readonly arch: number;
  readonly nr: number;
  readonly args?: readonly (number | bigint)[];
}

/** The value that the filter returns for a call. Throws for a program that the kernel would refuse or that does not end. */
export function evaluate(program: Uint8Array, call: Call, count?: { steps: number }): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = seccompData(call);
  let a = 0;
  for (let pc = 0, steps = 1; pc < program.length / 8; pc++, steps++) {
    const code = view.getUint16(pc * 8, true);
    const [jt, jf] = [view.getUint8(pc * 8 + 2), view.getUint8(pc * 8 + 3)];
    const k = view.getUint32(pc * 8 + 4, true);
    const jump = (taken: boolean): void => {
      pc += taken ? jt : jf;
    };
    switch (code) {
      case 0x20:
        if (k % 4 !== 0 || k >= 64) throw new Error(`load at ${k}`);
        a = data.getUint32(k, true);
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        jump(a === k);
        break;
      case 0x25:
        jump(a > k);
        break;
      case 0x35:
        jump(a >= k);
        break;
      case 0x06:
        if (count) count.steps = steps;
        return k;
      default:
        throw new Error(`unknown instruction ${code.toString(16)} at ${pc}`);
    }
  }
  throw new Error('the program has no end');
}

function seccompData(call: Call): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.nr, true);
  data.setUint32(4, call.arch, true);
  for (const [i, arg] of (call.args ?? []).entries()) {
    data.setBigUint64(16 + 8 * i, BigInt.asUintN(64, BigInt(arg)), true);
  }
  return data;
}

const numbers = new Map<Abi, Map<string, number>>();

/** The number of a call in an ABI; throws when it has none. */
export function syscallNumber(abi: Abi, name: string): number {
  let table = numbers.get(abi);
  if (!table) {
    const made = new Map<string, number>();
    eachSyscall(abi, (number, names) => {
      for (const n of names) made.set(n, number);
    });
    numbers.set(abi, made);
    table = made;
  }
  const number = table.get(name);
  if (number === undefined) throw new Error(`${abi} has no ${name}`);
  return number;
}

/** The answer to a call as a word: `allow`, `kill`, `kill-thread`, `trap`, `log`, `errno 38`, `trace 1`. */
export function answer(
  program: Uint8Array,
  abi: Abi,
  name: string | number,
  ...args: (number | bigint)[]
): string {
  const nr = typeof name === 'number' ? name : syscallNumber(abi, name);
  return word(evaluate(program, { arch: AUDIT[abi], nr, args }));
}

export function word(ret: number): string {
  const data = ret & 0xffff;
  switch (ret >>> 16) {
    case 0x8000:
      return 'kill';
    case 0x0000:
      return 'kill-thread';
    case 0x0003:
      return 'trap';
    case 0x0005:
      return `errno ${data}`;
    case 0x7ff0:
      return `trace ${data}`;
    case 0x7ffc:
      return 'log';
    case 0x7fff:
      return 'allow';
    default:
      return `0x${ret.toString(16)}`;
  }
}
