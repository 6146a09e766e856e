import type { Assembler, Label } from './assembler.ts';
import { SYSCALL_TABLES } from './tables.ts';

/** Numbers of calls from `start` to the next leaf's that end in the same code, and how often they are called. */
export interface Leaf {
  readonly start: number;
  readonly weight: number;
  /** Writes the code; called once. */
  label(): Label;
}

/** The most frequent calls of ordinary programs; each counts as much as many rare ones when the search is balanced. */
const FREQUENT = new Set(
  (
    'read write openat close fstat newfstatat statx lseek mmap mprotect munmap brk poll ppoll futex epoll_wait epoll_pwait ' +
    'rt_sigaction rt_sigprocmask pread64 readv writev recvfrom sendto recvmsg sendmsg clock_gettime clock_nanosleep ' +
    'getdents64 fcntl madvise getpid gettid sched_yield ioctl access faccessat2 readlink wait4'
  ).split(' '),
);
const FREQUENT_WEIGHT = 40;

/** Calls `visit` for every number of a table that has a name, in order. */
export function eachSyscall(
  table: keyof typeof SYSCALL_TABLES,
  visit: (number: number, names: readonly string[]) => void,
): void {
  let number = 0;
  for (const word of SYSCALL_TABLES[table].split(' ')) {
    if (word.startsWith('+')) number += Number(word.slice(1));
    else visit(number++, word.split('/'));
  }
}

export const weightOf = (names: readonly string[]): number =>
  names.some(name => FREQUENT.has(name)) ? FREQUENT_WEIGHT : 1;

/** What the numbers from `start` up to `end` weigh, at least 1. */
export function weights(table: keyof typeof SYSCALL_TABLES): (start: number, end: number) => number {
  const all: [number, number][] = [];
  eachSyscall(table, (number, names) => all.push([number, weightOf(names)]));
  return (start, end) =>
    all.reduce((sum, [number, weight]) => (number >= start && number < end ? sum + weight : sum), 1);
}

/** A binary search by the accumulator, which holds the number of the call. */
export function searchTree(asm: Assembler, all: readonly Leaf[]): Label {
  const [only] = all;
  if (only && all.length === 1) return only.label();
  const middle = balance(all);
  const right = searchTree(asm, all.slice(middle));
  const left = searchTree(asm, all.slice(0, middle));
  return asm.branch('ge', all[middle]?.start ?? 0, right, left);
}

/** Where to split so that both sides are called about equally often. */
function balance(all: readonly Leaf[]): number {
  const total = all.reduce((sum, r) => sum + r.weight, 0);
  let before = 0;
  for (let i = 1; i < all.length; i++) {
    const here = all[i - 1]?.weight ?? 0;
    // The split that would make the left side the heavier one: before it or after it, whichever is nearer to the middle.
    if (before + here >= total / 2)
      return before > 0 && before + here - total / 2 > total / 2 - before ? i - 1 : i;
    before += here;
  }
  return all.length - 1;
}
