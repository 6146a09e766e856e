import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eachSyscall } from '../../../src/runtime/seccomp/search.ts';
import { defaultFilter, emulationFilter } from '../../../src/runtime/seccomp.ts';
import { type Abi, answer } from '../../support/bpf-eval.ts';

const test = suite('root emulation');

const x64 = await defaultFilter({ arch: 'x64', rootEmulation: true });
const arm64 = await defaultFilter({ arch: 'arm64', rootEmulation: true });
const plain = await defaultFilter({ arch: 'x64' });
const alone = await emulationFilter({ arch: 'x64' });

const FAKED = 'errno 0';
const KEEP = 0xffffffff;
const cases: [Abi, string, readonly (number | bigint)[], string][] = [
  ['x64', 'chown', [0, 42, 42], FAKED],
  ['x64', 'chown', [0, 0, 42], FAKED],
  ['x64', 'chown', [0, 0, 0], 'allow'],
  ['x64', 'chown', [0, KEEP, 0], 'allow'],
  ['x64', 'chown', [0, (1n << 64n) - 1n, 0], 'allow'],
  ['x64', 'lchown', [0, 1, 0], FAKED],
  ['x64', 'fchown', [3, 100, KEEP], FAKED],
  ['x64', 'fchownat', [3, 0, 42, 42, 0], FAKED],
  ['x64', 'fchownat', [3, 0, 0, KEEP, 0], 'allow'],
  ['x64', 'setuid', [100], FAKED],
  ['x64', 'setuid', [0], 'allow'],
  ['x64', 'setresuid', [100, 100, 100], FAKED],
  ['x64', 'setresuid', [KEEP, 0, KEEP], 'allow'],
  ['x64', 'setresgid', [0, 0, 5], FAKED],
  ['x64', 'setreuid', [KEEP, 7], FAKED],
  ['x64', 'setfsuid', [7], FAKED],
  ['x64', 'setgroups', [0], FAKED],
  ['x64', 'setgroups', [3], FAKED],
  ['x64', 'mknod', [0, 0o020666, 0x103], FAKED],
  ['x64', 'mknod', [0, 0o060660, 0x800], FAKED],
  ['x64', 'mknod', [0, 0o020000, 0], 'allow'],
  ['x64', 'mknod', [0, 0o010644, 0], 'allow'],
  ['x64', 'mknod', [0, 0o140644, 5], 'allow'],
  ['x64', 'mknod', [0, 0o644, 0], 'allow'],
  ['x64', 'mknodat', [3, 0, 0o020666, 0x103], FAKED],
  ['x64', 'mknodat', [3, 0, 0o100644, 0], 'allow'],
  ['ia32', 'chown32', [0, 42, 42], FAKED],
  ['ia32', 'chown', [0, 42, 42], FAKED],
  ['ia32', 'setgroups32', [1], FAKED],
  ['arm64', 'fchownat', [3, 0, 42, 42, 0], FAKED],
  ['arm64', 'setresuid', [100, 100, 100], FAKED],
  ['arm', 'lchown32', [0, 9, 9], FAKED],
];
for (const [abi, name, args, expected] of cases) {
  test(`${abi} ${name}(${args.map(String).join(', ')})`, () => {
    assert.is(answer(abi.startsWith('arm') ? arm64 : x64, abi, name, ...args), expected);
    if (abi === 'x64') assert.is(answer(alone, abi, name, ...args), expected, 'without a profile');
  });
}

test('nothing that the default profile refuses is allowed, and only the named calls are faked', () => {
  const faked = /^(l|f)?chown(at)?(32)?$|^set(re|res|fs)?[ug]id(32)?$|^setgroups(32)?$/;
  for (const abi of ['x64', 'ia32'] as const) {
    eachSyscall(abi, (nr, names) => {
      const args = [9, 9, 9, 9];
      const expected = names.some(n => faked.test(n)) ? FAKED : answer(plain, abi, nr, ...args);
      assert.is(answer(x64, abi, nr, ...args), expected, `${names}`);
    });
  }
});

test('alone, it lets everything else through, also what is not known yet', () => {
  for (const name of ['mount', 'ptrace', 'keyctl', 'io_uring_setup', 'clone3'])
    assert.is(answer(alone, 'x64', name), 'allow');
  assert.is(answer(alone, 'x64', 999), 'allow');
});

test.run();
