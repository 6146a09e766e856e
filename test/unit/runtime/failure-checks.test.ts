import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostCheck } from '../../../src/errors.ts';
import type { UsernsFacts } from '../../../src/host/userns-closed.ts';
import { type Op, ops } from '../../../src/plan/ops.ts';
import { describeFailure } from '../../../src/runtime/failure.ts';

/** What the helper may report of the machine, and the check of doctor that explains it. */
const test = suite('runtime/failure: checks');
const { EACCES, EBUSY, EINVAL, ENODEV, ENOENT, ENOSPC, EPERM, ENOMEM } = constants.errno;

const OPEN: UsernsFacts = {
  unprivilegedClone: 1,
  maxNamespaces: 60_000,
  apparmorRestrict: 0,
  root: false,
  built: true,
  filtered: false,
};
const UBUNTU: UsernsFacts = { ...OPEN, apparmorRestrict: 1 };

const HEADER: readonly (readonly [string, number, UsernsFacts, HostCheck | undefined])[] = [
  ['clone', EPERM, { ...OPEN, unprivilegedClone: 0 }, 'userns-clone'],
  ['clone', ENOSPC, { ...OPEN, maxNamespaces: 0 }, 'userns-limit'],
  ['clone', EACCES, UBUNTU, 'userns-apparmor'],
  ['clone', EPERM, { ...OPEN, filtered: true }, 'userns-seccomp'],
  ['clone', EPERM, OPEN, 'userns-refused'],
  ['clone', EINVAL, { ...OPEN, built: false }, 'userns-kernel'],
  ['clone', EINVAL, OPEN, 'namespaces-missing'],
  ['clone', ENOMEM, OPEN, undefined],
  ['uidmap', EPERM, UBUNTU, 'userns-apparmor'],
  ['gidmap', EPERM, UBUNTU, 'userns-apparmor'],
  ['setgroups', EACCES, UBUNTU, 'userns-apparmor'],
  ['uidmap', EPERM, OPEN, 'userns-refused'],
  ['newuidmap\nnewuidmap: uid range [1-65536) -> [100000-165535) not allowed', 1, OPEN, 'mapper-failed'],
  ['newgidmap\n', 1, OPEN, 'mapper-failed'],
  ['cgroup', EACCES, OPEN, 'cgroup-refused'],
  ['lock', 11, OPEN, undefined],
  ['target', 3, OPEN, undefined],
];
for (const [detail, errno, facts, check] of HEADER) {
  test(`${detail.split('\n')[0]}, errno ${errno}: ${check ?? 'nothing of the machine'}`, () => {
    const error = describeFailure({ plan: 'header', index: 0, errno, detail, ops: [] }, () => facts);
    assert.is(error.check, check);
    assert.is(error.hint?.endsWith(`tsbox doctor ${check}`) ?? false, check !== undefined);
  });
}

const mount = (type: string): Op => ops.hostmount({ type, target: 'm' }, 'why');
const OPERATIONS: readonly (readonly [Op, number, UsernsFacts, HostCheck | undefined])[] = [
  [ops.private('why'), EACCES, UBUNTU, 'userns-apparmor'],
  [ops.private('why'), EPERM, UBUNTU, 'userns-apparmor'],
  [ops.private('why'), EPERM, OPEN, 'mount-refused'],
  [ops.mount({ type: 'proc', target: '/proc' }, 'why'), EPERM, OPEN, 'proc-masked'],
  [ops.mount({ type: 'tmpfs', target: '/x' }, 'why'), EINVAL, OPEN, undefined],
  [mount('overlay'), ENODEV, OPEN, 'overlay-module'],
  [mount('overlay'), EINVAL, OPEN, 'overlay-refused'],
  [mount('overlay'), ENOSPC, OPEN, 'store-space'],
  [ops.fuse('m', '', 'why'), ENOENT, OPEN, 'fuse-missing'],
  [ops.fuse('m', '', 'why'), EACCES, OPEN, 'fuse-closed'],
  [ops.fuse('m', '', 'why'), EBUSY, OPEN, 'fuse-overlayfs-failed'],
  [ops.landlock(0, true, 'why'), ENODEV, OPEN, 'landlock-missing'],
  [ops.ids(5, 5, [], 'why'), EINVAL, OPEN, 'subid-missing'],
  [ops.ids(0, 0, [7], 'why'), EPERM, OPEN, 'subid-missing'],
  [ops.chdir('/nope', 'why'), ENOENT, OPEN, undefined],
];
for (const [op, errno, facts, check] of OPERATIONS) {
  test(`${op.name} ${op.fields[0] ?? ''}, errno ${errno}: ${check ?? 'nothing of the machine'}`, () => {
    const error = describeFailure({ plan: 'init', index: 0, errno, detail: '', ops: [op] }, () => facts);
    assert.is(error.check, check, error.message);
    assert.is(error.hint?.endsWith(`tsbox doctor ${check}`) ?? false, check !== undefined);
  });
}

test('a machine is only looked at when its switches can be the reason', () => {
  const never = (): never => {
    throw new Error('it was read');
  };
  const failure = { plan: 'init', index: 0, errno: ENOENT, detail: '', ops: [ops.private('why')] };
  assert.is(describeFailure(failure, never).check, undefined);
});

test.run();
