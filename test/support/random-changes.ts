/** Random changes to files, for the program of test/fixtures/tree.c. The same seed gives the same changes. */

/** A small generator with 32 bits of state (mulberry32); `next(n)` is a whole number below n. */
export interface Random {
  next(below: number): number;
  pick<T>(from: readonly T[]): T;
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
  return { next, pick: from => from[next(from.length)] as (typeof from)[number] };
}

// Few, so that operations meet; one is not UTF-8, one is long, one looks like an option.
const NAMES = ['a', 'b', 'c.d', 'caf%e9', '-x', `long-${'n'.repeat(120)}`, '.hidden', 'wh.%20y'];
const MODES = ['600', '644', '755', '4755', '2711', '1777', '400', '0', '6111'];
const OWNERS = ['0 0', '33 33', '1000 1000', '0 44', '65534 65534'];
const TIMES = ['0 0', '1 1', '-1 999999999', '-5 0', '1700000000 123456789', '4102444800 500000000'];

type Make = (r: Random, path: () => string) => string;

/** Often: what makes layers interesting. */
const OPERATIONS: readonly Make[] = [
  (_, path) => `dir ${path()}`,
  (_, path) => `dir ${path()}`,
  (_, path) => `dir ${path()}`,
  (r, path) => `file ${path()} ${r.pick([0, 1, 511, 512, 513, 70_000])} ${r.next(1000)}`,
  (r, path) => `file ${path()} ${r.next(5000)} ${r.next(1000)}`,
  (r, path) => `file ${path()} ${r.next(5000)} ${r.next(1000)}`,
  (r, path) => `append ${path()} ${r.next(100)} ${r.next(1000)}`,
  (r, path) => `hole ${path()} ${r.next(8_000_000)} ${r.next(8_000_000)}`,
  (_, path) => `rm ${path()}`,
  (_, path) => `rm ${path()}`,
  (_, path) => `mv ${path()} ${path()}`,
  (_, path) => `mv ${path()} ${path()}`,
  (_, path) => `ln ${path()} ${path()}`,
  (r, path) => `sym ${r.pick(['../b', '/t/a', 'nowhere', `x${'y'.repeat(150)}`])} ${path()}`,
  (_, path) => `fifo ${path()}`,
  (r, path) => `mode ${path()} ${r.pick(MODES)}`,
  (r, path) => `own ${path()} ${r.pick(OWNERS)}`,
  (r, path) => `attr ${path()} user.t.${r.pick(['one', 'two'])} ${r.pick(['value', '%ff%0a=', ''])}`,
  (_, path) => `unattr ${path()} user.t.one`,
  (_, path) => `cap ${path()}`,
  (r, path) => `time ${path()} ${r.pick(TIMES)}`,
  // Away and back again: an opaque directory where it is one of the image.
  (_, path) => {
    const again = path();
    return `rm ${again}\ndir ${again}\nfile ${again}/a 3 3`;
  },
  // A directory becomes a file, a file a directory.
  (r, path) => {
    const again = path();
    return r.next(2) === 0
      ? `rm ${again}\nfile ${again} 10 ${r.next(9)}`
      : `rm ${again}\ndir ${again}\ndir ${again}/b`;
  },
];

/** `count` operations below `/t`; paths are one to three names deep. */
export function randomChanges(r: Random, count: number): string {
  const path = (): string =>
    `/t/${Array.from({ length: 1 + r.next(3) }, () => r.pick(NAMES.slice(0, 3 + r.next(6)))).join('/')}`;
  return Array.from({ length: count }, () => r.pick(OPERATIONS)(r, path)).join('\n');
}
