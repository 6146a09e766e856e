import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Assembler, DATA, MAX_INSTRUCTIONS } from '../../../src/runtime/seccomp/assembler.ts';
import { compileFilter } from '../../../src/runtime/seccomp/compile.ts';
import { type Condition, low32, RET, type Rule } from '../../../src/runtime/seccomp/rule.ts';
import { eachSyscall } from '../../../src/runtime/seccomp/search.ts';
import { AUDIT, answer, evaluate, syscallNumber, word } from '../../support/bpf-eval.ts';

const test = suite('bpf compiler');

const DENY = RET.ERRNO | 1;
const allowIf = (...when: Condition[]): Rule[] => [{ name: 'read', when, ret: RET.ALLOW }];
const filter = (rules: readonly Rule[], otherwise: number = DENY) =>
  compileFilter({ native: 'x64', rules, otherwise });
const MAX = (1n << 64n) - 1n;

/** What a condition means, in words that share nothing with the compiler. */
function meaning(c: Condition, arg: bigint): boolean {
  const holds =
    'mask' in c ? c.values.includes(arg & c.mask) : c.above === 'gt' ? arg > c.value : arg >= c.value;
  return holds !== (c.negate ?? false);
}

const EDGES = [
  0n,
  1n,
  2n,
  0x7fffffffn,
  0x80000000n,
  0xfffffffen,
  0xffffffffn,
  1n << 32n,
  (1n << 32n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  MAX - 1n,
  MAX,
];

test('masked conditions, 32 and 64 bits, plain and negated', () => {
  for (const mask of [MAX, 0xffffffffn, 0xffffffff00000000n, 0x7e020000n, 0xf0000000fn]) {
    for (const value of EDGES.map(v => v & mask)) {
      for (const negate of [false, true]) {
        const condition = { index: 2, mask, values: [value, 0x12345678n & mask], negate };
        const program = filter(allowIf(condition));
        for (const arg of EDGES) {
          const expected = meaning(condition, arg) ? 'allow' : 'errno 1';
          assert.is(answer(program, 'x64', 'read', 0, 0, arg), expected, `${mask} ${value} ${negate} ${arg}`);
        }
      }
    }
  }
});

test('comparisons of 64 bits, plain and negated', () => {
  for (const above of ['gt', 'ge'] as const) {
    for (const value of EDGES) {
      for (const negate of [false, true]) {
        const condition = { index: 5, above, value, negate };
        const program = filter(allowIf(condition));
        for (const arg of EDGES) {
          const expected = meaning(condition, arg) ? 'allow' : 'errno 1';
          assert.is(
            answer(program, 'x64', 'read', 0, 0, 0, 0, 0, arg),
            expected,
            `${above} ${value} ${negate} ${arg}`,
          );
        }
      }
    }
  }
});

test('conditions of one rule must all hold; the first rule that does decides', () => {
  const program = filter([
    { name: 'read', when: [low32(0, [1]), low32(1, [2])], ret: RET.ALLOW },
    { name: 'read', when: [low32(0, [1])], ret: RET.ERRNO | 22 },
    { name: 'read', when: [], ret: RET.ERRNO | 9 },
    { name: 'read', when: [], ret: RET.ALLOW },
  ]);
  assert.is(answer(program, 'x64', 'read', 1, 2), 'allow');
  assert.is(answer(program, 'x64', 'read', 1, 3), 'errno 22');
  assert.is(answer(program, 'x64', 'read', 0, 2), 'errno 9');
});

test('a value that the mask can never give never matches', () => {
  const program = filter(allowIf({ index: 0, mask: 0xffn, values: [1n << 40n] }));
  for (const arg of EDGES) assert.is(answer(program, 'x64', 'read', arg), 'errno 1');
});

test('every number of every table gets its own verdict', () => {
  for (const native of ['x64', 'arm64'] as const) {
    const allowed = new Set([
      'read',
      'openat',
      'futex',
      'clone3',
      'exit_group',
      'getpid',
      'mseal',
      'ppoll',
      'set_tls',
    ]);
    const rules = [...allowed].map(name => ({ name, when: [], ret: RET.ALLOW }));
    const program = compileFilter({ native, rules, otherwise: DENY });
    for (const abi of native === 'x64' ? (['x64', 'ia32'] as const) : (['arm64', 'arm'] as const)) {
      const named = new Set<number>();
      eachSyscall(abi, (number, names) => {
        named.add(number);
        const expected = names.some(n => allowed.has(n)) ? 'allow' : 'errno 1';
        assert.is(answer(program, abi, number), expected, `${abi} ${names} ${number}`);
      });
      for (let n = 0; n < 600; n++)
        if (!named.has(n)) assert.is(answer(program, abi, n), 'errno 38', `${abi} ${n}`);
      for (const n of [0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff, 0xffffffff])
        assert.is(answer(program, abi, n), 'errno 38');
    }
  }
});

test('a foreign architecture ends the process; a 32-bit ABI that is not wanted does not exist', () => {
  const program = compileFilter({ native: 'x64', rules: allowIf(), otherwise: DENY, compat: false });
  assert.is(answer(program, 'x64', 'read'), 'allow');
  assert.is(answer(program, 'ia32', 'read'), 'errno 38');
  assert.is(answer(program, 'arm64', 'read'), 'kill');
});

test('x32 calls are unknown ones', () => {
  const program = filter(allowIf());
  assert.is(
    word(evaluate(program, { arch: AUDIT.x64, nr: 0x40000000 + syscallNumber('x64', 'read') })),
    'errno 38',
  );
});

test('long programs: jumps of more than 255 instructions', () => {
  const values = Array.from({ length: 700 }, (_, i) => i * 3);
  const program = filter([
    { name: 'read', when: [low32(0, values)], ret: RET.ALLOW },
    { name: 'write', when: [low32(0, values)], ret: RET.ERRNO | 5 },
  ]);
  assert.ok(program.length / 8 > 1400);
  for (const n of [0, 3, 6, 900, 2097]) {
    assert.is(answer(program, 'x64', 'read', n), 'allow');
    assert.is(answer(program, 'x64', 'write', n), 'errno 5');
  }
  for (const n of [1, 2098, 5000]) assert.is(answer(program, 'x64', 'read', n), 'errno 1');
});

test('a program that the kernel would not take is refused', () => {
  const values = Array.from({ length: MAX_INSTRUCTIONS }, (_, i) => i);
  assert.throws(() => filter(allowIf(low32(0, values))), RangeError);
});

test('assembler: both ways of a branch, near and far', () => {
  for (const filler of [0, 1, 100, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 600]) {
    const asm = new Assembler();
    const no = asm.ret(1);
    let middle = asm.ret(2);
    for (let i = 0; i < filler; i++) middle = asm.and(0xffffffff, middle);
    const program = asm.finish(asm.load(DATA.nr, asm.branch('gt', 10, no, middle)));
    assert.is(evaluate(program, { arch: 0, nr: 11 }), 1, `${filler}`);
    assert.is(evaluate(program, { arch: 0, nr: 10 }), 2, `${filler}`);
  }
});

test.run();
