import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { capabilityMask } from '../../../src/runtime/capabilities.ts';
import { profileFilter } from '../../../src/runtime/seccomp.ts';
import { answer } from '../../support/bpf-eval.ts';

const test = suite('seccomp profile');

const ARCH_MAP = [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }];
const build = (profile: unknown, caps = 0n, kernel = '6.1.0', rootEmulation = false) =>
  profileFilter(JSON.stringify(profile), { arch: 'x64', caps, kernel, rootEmulation });
const rule = (fields: object) => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  archMap: ARCH_MAP,
  syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...fields }],
});

test('actions and errno numbers', async () => {
  const table: [string, object, string][] = [
    ['SCMP_ACT_ALLOW', {}, 'allow'],
    ['SCMP_ACT_KILL', {}, 'kill-thread'],
    ['SCMP_ACT_KILL_THREAD', {}, 'kill-thread'],
    ['SCMP_ACT_KILL_PROCESS', {}, 'kill'],
    ['SCMP_ACT_TRAP', {}, 'trap'],
    ['SCMP_ACT_LOG', {}, 'log'],
    ['SCMP_ACT_ERRNO', {}, 'errno 1'],
    ['SCMP_ACT_ERRNO', { errnoRet: 95 }, 'errno 95'],
    ['SCMP_ACT_ERRNO', { errnoRet: 0 }, 'errno 0'],
    ['SCMP_ACT_TRACE', { errnoRet: 7 }, 'trace 7'],
  ];
  for (const [action, more, expected] of table) {
    assert.is(answer(await build(rule({ action, ...more })), 'x64', 'read'), expected);
  }
});

test('default action with its errno; unknown numbers', async () => {
  const refuse = await build({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 13 });
  assert.is(answer(refuse, 'x64', 'read'), 'errno 13');
  assert.is(answer(refuse, 'x64', 999), 'errno 38');
  const allow = await build({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ name: 'read', action: 'SCMP_ACT_ERRNO' }],
  });
  assert.is(answer(allow, 'x64', 'read'), 'errno 1');
  assert.is(answer(allow, 'x64', 'write'), 'allow');
  assert.is(answer(allow, 'x64', 999), 'allow');
});

test('32-bit calls only where the profile says so', async () => {
  assert.is(answer(await build(rule({})), 'ia32', 'read'), 'allow');
  assert.is(answer(await build({ ...rule({}), archMap: [] }), 'ia32', 'read'), 'errno 38');
  const spec = { ...rule({}), archMap: undefined, architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'] };
  assert.is(answer(await build(spec), 'ia32', 'read'), 'allow');
});

test('operators', async () => {
  const table: [string, number, number, number[], number[]][] = [
    ['SCMP_CMP_EQ', 5, 0, [5], [4, 6]],
    ['SCMP_CMP_NE', 5, 0, [4, 6], [5]],
    ['SCMP_CMP_LT', 5, 0, [0, 4], [5, 6]],
    ['SCMP_CMP_LE', 5, 0, [4, 5], [6]],
    ['SCMP_CMP_GT', 5, 0, [6], [4, 5]],
    ['SCMP_CMP_GE', 5, 0, [5, 6], [4]],
    ['SCMP_CMP_MASKED_EQ', 6, 2, [2, 3, 10], [0, 4, 6]],
  ];
  for (const [op, value, valueTwo, yes, no] of table) {
    const program = await build(rule({ args: [{ index: 1, value, valueTwo, op }] }));
    for (const arg of yes) assert.is(answer(program, 'x64', 'read', 0, arg), 'allow', `${op} ${arg}`);
    for (const arg of no) assert.is(answer(program, 'x64', 'read', 0, arg), 'errno 1', `${op} ${arg}`);
  }
});

test('64-bit values keep every digit', async () => {
  const json = JSON.stringify(rule({ args: [{ index: 0, value: 0, op: 'SCMP_CMP_EQ' }] })).replace(
    '"value":0',
    '"value":18446744073709551615',
  );
  const program = await profileFilter(json, { arch: 'x64', caps: 0n });
  assert.is(answer(program, 'x64', 'read', (1n << 64n) - 1n), 'allow');
  assert.is(answer(program, 'x64', 'read', (1n << 64n) - 2n), 'errno 1');
});

test('conditions on different arguments must all hold, on the same one any', async () => {
  const eq = (index: number, value: number) => ({ index, value, op: 'SCMP_CMP_EQ' });
  const both = await build(rule({ args: [eq(0, 1), eq(1, 2)] }));
  assert.is(answer(both, 'x64', 'read', 1, 2), 'allow');
  assert.is(answer(both, 'x64', 'read', 1, 3), 'errno 1');
  const any = await build(rule({ args: [eq(0, 1), eq(0, 2)] }));
  for (const n of [1, 2]) assert.is(answer(any, 'x64', 'read', n), 'allow');
  assert.is(answer(any, 'x64', 'read', 3), 'errno 1');
});

test('includes and excludes: capabilities, architectures, kernels', async () => {
  const sysAdmin = capabilityMask(['SYS_ADMIN']);
  const allowed = async (fields: object, caps = 0n, kernel = '6.1.0') =>
    answer(await build(rule(fields), caps, kernel), 'x64', 'read') === 'allow';
  assert.is(await allowed({ includes: { caps: ['CAP_SYS_ADMIN'] } }), false);
  assert.is(await allowed({ includes: { caps: ['CAP_SYS_ADMIN'] } }, sysAdmin), true);
  assert.is(await allowed({ includes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }, sysAdmin), false);
  assert.is(await allowed({ excludes: { caps: ['CAP_SYS_ADMIN'] } }), true);
  assert.is(await allowed({ excludes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }, sysAdmin), false);
  assert.is(await allowed({ includes: { arches: ['amd64', 'x32'] } }), true);
  assert.is(await allowed({ includes: { arches: ['s390x'] } }), false);
  assert.is(await allowed({ excludes: { arches: ['amd64'] } }), false);
  assert.is(await allowed({ includes: { minKernel: '4.8' } }, 0n, '4.8.0'), true);
  assert.is(await allowed({ includes: { minKernel: '4.8' } }, 0n, '4.7.9'), false);
  assert.is(await allowed({ includes: { minKernel: '4.8' } }, 0n, '10.0-rc1'), true);
  assert.is(await allowed({ includes: {}, excludes: {} }), true);
  assert.is(await allowed({ includes: null, excludes: null, args: null }), true);
});

test('names that are not there are skipped; a rule without conditions beats those with', async () => {
  const program = await build({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      {
        names: ['read', 'no_such_call'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }],
      },
      { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 },
    ],
  });
  assert.is(answer(program, 'x64', 'read', 1), 'errno 5');
});

test('root emulation goes before the profile', async () => {
  const program = await build({ defaultAction: 'SCMP_ACT_ALLOW' }, 0n, '6.1.0', true);
  assert.is(answer(program, 'x64', 'setuid', 5), 'errno 0');
});

const bad: [string, unknown, RegExp][] = [
  ['not JSON', '{', /^seccomp profile: the profile is not JSON/],
  ['a list', '[]', /the profile must be an object/],
  ['null', 'null', /the profile must be an object/],
  ['no default', '{}', /: defaultAction is missing/],
  ['unknown default', { defaultAction: 'ALLOW' }, /: defaultAction "ALLOW" is not an action/],
  ['prototype names', { defaultAction: 'constructor' }, /: defaultAction "constructor"/],
  ['syscalls no list', { ...rule({}), syscalls: {} }, /: syscalls must be a list/],
  ['a syscall that is text', { ...rule({}), syscalls: ['read'] }, /: syscalls\[0\] must be an object/],
  ['no action', { ...rule({}), syscalls: [{ names: ['read'] }] }, /: syscalls\[0\]\.action is missing/],
  ['bad action', rule({ action: 'KILL' }), /: syscalls\[0\]\.action "KILL"/],
  ['notify', rule({ action: 'SCMP_ACT_NOTIFY' }), /: syscalls\[0\]\.action SCMP_ACT_NOTIFY needs an agent/],
  ['no names', rule({ names: [] }), /: syscalls\[0\]\.names names no system call/],
  ['a name that is a number', rule({ names: ['read', 5] }), /: syscalls\[0\]\.names\[1\] must be a string/],
  [
    'errno too big',
    rule({ action: 'SCMP_ACT_ERRNO', errnoRet: 5000 }),
    /: syscalls\[0\]\.errnoRet must be a whole number from 0 to 4095/,
  ],
  [
    'argument 6',
    rule({ args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }),
    /: syscalls\[0\]\.args\[0\]\.index must be/,
  ],
  ['bad operator', rule({ args: [{ index: 0, value: 0, op: '==' }] }), /: syscalls\[0\]\.args\[0\]\.op "=="/],
  [
    'negative value',
    rule({ args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] }),
    /: syscalls\[0\]\.args\[0\]\.value must be/,
  ],
  [
    'fractional value',
    rule({ args: [{ index: 0, value: 1.5, op: 'SCMP_CMP_EQ' }] }),
    /: syscalls\[0\]\.args\[0\]\.value must be/,
  ],
  [
    'unknown capability',
    rule({ includes: { caps: ['CAP_X'] } }),
    /: syscalls\[0\]\.includes\.caps\[0\] "CAP_X" is not a capability/,
  ],
  ['bad kernel', rule({ includes: { minKernel: 'new' } }), /: syscalls\[0\]\.includes\.minKernel "new"/],
];
for (const [title, profile, expected] of bad) {
  test(`bad profile: ${title}`, async () => {
    const json = typeof profile === 'string' ? profile : JSON.stringify(profile);
    let error: unknown;
    await profileFilter(json, { arch: 'x64', caps: 0n }).catch(e => {
      error = e;
    });
    assert.instance(error, TsboxError);
    assert.is((error as TsboxError).code, 'USAGE');
    assert.match((error as TsboxError).message, expected);
  });
}

const INSTALLED = '/usr/share/containers/seccomp.json';
if (existsSync(INSTALLED)) {
  test('the profile that podman installs is taken', async () => {
    const program = await profileFilter(readFileSync(INSTALLED, 'utf8'), { arch: 'x64', caps: 0n });
    assert.is(answer(program, 'x64', 'read'), 'allow');
    assert.is(answer(program, 'ia32', 'read'), 'allow');
    assert.is(answer(program, 'x64', 'reboot'), answer(program, 'ia32', 'reboot'));
    assert.is(answer(program, 'x64', 'settimeofday'), 'errno 1');
  });
}

test.run();
