import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import {
  ALL_CAPABILITIES,
  CAPABILITY_NAMES,
  capabilityMask,
  capabilityNames,
  DEFAULT_CAPABILITIES,
  findCapability,
  resolveCapabilities,
} from '../../../src/runtime/capabilities.ts';

const test = suite('capabilities');

test("numbers are the kernel's", () => {
  assert.is(CAPABILITY_NAMES.length, 41);
  assert.is(CAPABILITY_NAMES.indexOf('NET_ADMIN'), 12);
  assert.is(CAPABILITY_NAMES.indexOf('SYS_ADMIN'), 21);
  assert.is(CAPABILITY_NAMES.indexOf('CHECKPOINT_RESTORE'), 40);
});

test("the default set is docker's, as /proc/self/status shows it", () => {
  assert.is(DEFAULT_CAPABILITIES.toString(16), 'a80425fb');
});

const D = DEFAULT_CAPABILITIES;
const resolved: [string, Parameters<typeof resolveCapabilities>[0], bigint][] = [
  ['nothing', {}, D],
  ['add', { add: ['NET_ADMIN'] }, D | capabilityMask(['NET_ADMIN'])],
  ['prefix and case', { add: ['cap_net_admin', 'Sys_Time'] }, D | capabilityMask(['NET_ADMIN', 'SYS_TIME'])],
  ['drop', { drop: ['CHOWN', 'CAP_KILL'] }, D & ~capabilityMask(['CHOWN', 'KILL'])],
  ['drop all', { drop: ['ALL'] }, 0n],
  ['drop all, add one', { drop: ['all'], add: ['CHOWN'] }, capabilityMask(['CHOWN'])],
  ['add all', { add: ['ALL'] }, ALL_CAPABILITIES],
  [
    'add all, drop one',
    { add: ['ALL'], drop: ['SYS_ADMIN'] },
    ALL_CAPABILITIES & ~capabilityMask(['SYS_ADMIN']),
  ],
  ['add and drop the same', { add: ['CHOWN'], drop: ['CHOWN'] }, D],
  ['privileged', { privileged: true }, ALL_CAPABILITIES],
  ['privileged beats drop', { privileged: true, drop: ['ALL'] }, ALL_CAPABILITIES],
  ['CAP_ALL', { drop: ['CAP_ALL'] }, 0n],
];
for (const [name, request, expected] of resolved) {
  test(`resolve: ${name}`, () => assert.is(resolveCapabilities(request).toString(16), expected.toString(16)));
}

for (const bad of ['', 'NET_ADMINN', 'CAP_', 'root', '12', 'CAP_CAP_CHOWN', 'CHOWN ', 'NET ADMIN']) {
  for (const key of ['add', 'drop'] as const) {
    test(`unknown capability ${JSON.stringify(bad)} in ${key}`, () => {
      assert.throws(
        () => resolveCapabilities({ [key]: [bad] }),
        (e: unknown) =>
          e instanceof TsboxError && e.code === 'USAGE' && e.message.startsWith(`--cap-${key}: `),
      );
    });
  }
}

test('a near miss is named', () => {
  assert.throws(
    () => resolveCapabilities({ add: ['net_admn'] }),
    (e: unknown) => e instanceof TsboxError && e.hint === 'did you mean NET_ADMIN?',
  );
});

test('privileged does not hide a typing error', () => {
  assert.throws(() => resolveCapabilities({ privileged: true, add: ['NET_ADMN'] }), /unknown capability/);
});

test('names and masks are inverse', () => {
  for (const [bit, name] of CAPABILITY_NAMES.entries()) {
    assert.is(findCapability(name), 1n << BigInt(bit));
    assert.equal(capabilityNames(1n << BigInt(bit)), [`CAP_${name}`]);
  }
  assert.equal(capabilityNames(1n << 60n), []);
  assert.is(findCapability('toString'), undefined);
});

test.run();
