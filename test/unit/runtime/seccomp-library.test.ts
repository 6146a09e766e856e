import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from '../../../src/runtime/capabilities.ts';
import { compileFilter } from '../../../src/runtime/seccomp/compile.ts';
import { emulationRules } from '../../../src/runtime/seccomp/emulation.ts';
import { libraryFilter } from '../../../src/runtime/seccomp/library.ts';
import { relayout } from '../../../src/runtime/seccomp/relayout.ts';
import { ERRNO, RET } from '../../../src/runtime/seccomp/rule.ts';
import { defaultRules } from '../../../src/runtime/seccomp/rules.ts';
import { eachSyscall } from '../../../src/runtime/seccomp/search.ts';
import { cacheName, defaultFilter, profileFilter } from '../../../src/runtime/seccomp.ts';
import { libseccomp } from '../../../src/sys/libseccomp.ts';
import { type Abi, AUDIT, answer, evaluate } from '../../support/bpf-eval.ts';
import { type Random, randomFrom } from '../../support/random-changes.ts';
import { PROJECT } from '../../support/source.ts';

/** Two compilers that know nothing of each other, and every call there is: what they make must have the same effect. */
const library = libseccomp();
const test = suite('seccomp by libseccomp');
const when = library ? test : test.skip;

/** Arguments at which some rule changes its mind, in each place. */
const TELLING = [
  0, 1, 2, 12, 38, 40, 45, 46, 42, 0x5412, 0x541c, 0x1_0000_5412, 0x0040000, 0xffffffff, 0x7e020000,
  0x10000011,
];
const MODES = [0o010666, 0o020666, 0o060666];

function* samples(): Generator<number[]> {
  for (const a of TELLING)
    for (let i = 0; i < 4; i++) yield [0, 0, 0, 0].map((zero, at) => (at === i ? a : zero));
  for (const m of MODES)
    for (const d of [0, 0x103])
      yield* [
        [0, m, d],
        [0, 0, m, d],
      ];
}

/** Calls of which some rule looks at an argument; the others' answer is the same for all. */
const CONDITIONAL =
  /^(l?chown|fchown(at)?|set(re|res|fs)?[ug]id)(32)?$|^(ioctl|socket|socketcall|personality|clone|clone3|mknod|mknodat|kill|dup2)$/;

const conditional = new Map<Abi, Set<number>>();

function mayDepend(abi: Abi, nr: number): boolean {
  let found = conditional.get(abi);
  if (!found) {
    const made = new Set<number>();
    eachSyscall(abi, (number, names) => {
      if (names.some(name => CONDITIONAL.test(name))) made.add(number);
    });
    conditional.set(abi, made);
    found = made;
  }
  return found.has(nr);
}

function differences(abis: readonly Abi[], a: Uint8Array, b: Uint8Array): string[] {
  const all = [...samples()];
  const found: string[] = [];
  for (const abi of abis)
    for (let nr = 0; nr < 520; nr++)
      for (const args of mayDepend(abi, nr) ? all : [[], [42, 42, 42]]) {
        const call = { arch: AUDIT[abi], nr, args };
        if (evaluate(a, call) !== evaluate(b, call)) found.push(`${abi} ${nr} ${args}`);
      }
  return found;
}

for (const native of ['x64', 'arm64'] as const)
  for (const [name, caps] of [
    ['default', DEFAULT_CAPABILITIES],
    ['all', ALL_CAPABILITIES],
  ] as const)
    for (const emulation of [false, true])
      when(
        `${native}, ${name} capabilities, root emulation ${emulation}: the same as ours, call by call`,
        () => {
          const rules = [...(emulation ? emulationRules() : []), ...defaultRules(native, caps)];
          const source = { native, rules, otherwise: RET.ERRNO | ERRNO.EPERM };
          const made = library ? libraryFilter(library, source) : new Uint8Array();
          assert.ok(made.length / 8 < 400, `${made.length / 8} instructions`);
          const abis: Abi[] = native === 'x64' ? ['x64', 'ia32'] : ['arm64', 'arm'];
          assert.equal(differences(abis, made, compileFilter(source)).slice(0, 5), []);
        },
      );

const PROFILE = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }],
  syscalls: [
    { names: ['read', 'write', 'mseal', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
    { names: ['kill'], action: 'SCMP_ACT_ALLOW', args: [{ index: 1, value: 0, op: 'SCMP_CMP_NE' }] },
    { names: ['dup2'], action: 'SCMP_ACT_ALLOW', args: [{ index: 1, value: 7, op: 'SCMP_CMP_LT' }] },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ],
});

when('a profile: the same by both, also calls that the library does not know yet', async () => {
  const options = { arch: 'x64', kernel: '6.1' };
  const made = await profileFilter(PROFILE, options);
  const own = await profileFilter(PROFILE, { ...options, generator: 'own' });
  assert.equal(differences(['x64', 'ia32'], made, own).slice(0, 5), []);
  assert.not.equal([...made], [...own], 'the library made it: it asks for arguments in another order');
  assert.is(answer(made, 'x64', 'mseal'), 'allow');
  assert.is(answer(made, 'x64', 'kill', 1, 9), 'allow');
  assert.is(answer(made, 'x64', 'kill', 1, 0), 'errno 1');
  assert.is(answer(made, 'x64', 'clone3'), 'errno 38');
  assert.is(answer(made, 'x64', 999), 'errno 38');
  assert.is(answer(made, 'x64', 0x40000000), 'errno 38', 'x32 is no ABI here');
});

when('the default filter is made by the library, and shipped as it was made', async () => {
  const shipped = join(PROJECT, 'dist/seccomp', cacheName({ arch: 'x64' }));
  const made = await defaultFilter({ arch: 'x64' });
  const own = await defaultFilter({ arch: 'x64', generator: 'own' });
  assert.not.equal([...made], [...own], 'it asks for arguments in another order');
  if (existsSync(shipped)) assert.equal([...readFileSync(shipped)], [...made]);
});

const LONG = Boolean(process.env.TSBOX_TEST_LONG);

/** Forty steps of every kind that filters are made of; the last one returns. */
function randomProgram(random: Random): Uint8Array {
  const pick = (list: readonly number[]): number => list[random.next(list.length)] ?? 0;
  const program = Buffer.alloc(40 * 8);
  for (let left = 39; left >= 0; left--) {
    const far = (): number => random.next(Math.min(left, 12));
    const op = left === 0 ? 0x06 : pick([0x06, 0x05, 0x20, 0x20, 0x54, 0x15, 0x15, 0x25, 0x35]);
    const at = (39 - left) * 8;
    program.writeUInt16LE(op, at);
    if ([0x15, 0x25, 0x35].includes(op)) program.set([far(), far()], at + 2);
    program.writeUInt32LE(pick(OPERANDS[op] ?? [far()]), at + 4);
  }
  return program;
}

const NUMBERS = [0, 1, 2, 5, 7, 0x40000000, AUDIT.x64, AUDIT.ia32];
const OPERANDS: Readonly<Record<number, readonly number[]>> = {
  6: [0x7fff0000, 0x50001, 0x50026, 0x80000000],
  32: [0, 0, 4, 16, 20, 24],
  84: [0, 1, 6, 0xffffffff],
  21: NUMBERS,
  37: NUMBERS,
  53: NUMBERS,
};

test('laid out anew, any program says what it said, except to architectures that it does not name', () => {
  const random = randomFrom(LONG ? Date.now() : 7);
  const rounds = LONG ? 3000 : 200;
  let changed = 0;
  for (let round = 0; round < rounds; round++) {
    const before = randomProgram(random);
    const after = relayout(before, 'x64');
    if (after !== before) changed++;
    for (const arch of [AUDIT.x64, AUDIT.ia32, 0])
      for (const nr of [0, 1, 2, 3, 5, 6, 7, 8, 0x40000000, 0xffffffff])
        for (const a of [0n, 1n, 2n, 7n, 0x5_0000_0006n]) {
          const call = { arch, nr, args: [a, 2n] };
          const scene = `${Buffer.from(before).toString('hex')} ${arch} ${nr} ${a}`;
          assert.is(evaluate(after, call), evaluate(before, call), scene);
        }
  }
  assert.ok(changed > rounds / 4, `${changed} of ${rounds} were laid out anew`);
});

test.run();
