import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLOSED, closedBy, type UsernsFacts, usernsFacts } from '../../../src/host/userns-closed.ts';

const test = suite('host/userns-closed');
const { EACCES, EINVAL, ENOSPC, EPERM } = constants.errno;

/** A usual machine. */
const OPEN: UsernsFacts = {
  unprivilegedClone: undefined,
  maxNamespaces: 60_000,
  apparmorRestrict: undefined,
  root: false,
  built: true,
  filtered: false,
};
const UBUNTU = { apparmorRestrict: 1, unprivilegedClone: 1 };
const DEBIAN_10 = { unprivilegedClone: 0 };

const CASES: readonly (readonly [
  string,
  Parameters<typeof closedBy>[0],
  number,
  Partial<UsernsFacts>,
  string,
])[] = [
  ['Ubuntu 24.04: the first mount', 'mount', EACCES, UBUNTU, 'userns-apparmor'],
  ['Ubuntu 24.04: the first mount, the other errno', 'mount', EPERM, UBUNTU, 'userns-apparmor'],
  ['Ubuntu 24.04: the map', 'map', EPERM, UBUNTU, 'userns-apparmor'],
  ['Ubuntu 23.10: the clone', 'clone', EACCES, UBUNTU, 'userns-apparmor'],
  ['Ubuntu, root: not held back by it', 'mount', EPERM, { ...UBUNTU, root: true }, 'mount-refused'],
  ['Ubuntu, switched off', 'mount', EPERM, { apparmorRestrict: 0 }, 'mount-refused'],
  ['Ubuntu, a mount that fails for another reason', 'mount', ENOSPC, UBUNTU, 'mount-refused'],
  ['Debian 10', 'clone', EPERM, DEBIAN_10, 'userns-clone'],
  [
    'both switches: the kernel asks this one first',
    'clone',
    EPERM,
    { ...UBUNTU, ...DEBIAN_10 },
    'userns-clone',
  ],
  ['Debian 10, root', 'clone', EPERM, { ...DEBIAN_10, root: true }, 'userns-refused'],
  ['RHEL 7', 'clone', ENOSPC, { maxNamespaces: 0 }, 'userns-limit'],
  ['used up', 'clone', ENOSPC, {}, 'userns-limit'],
  ['used up, on Ubuntu', 'clone', ENOSPC, UBUNTU, 'userns-limit'],
  ['nested too deep', 'clone', 87, {}, 'userns-limit'],
  ['a kernel without', 'clone', EINVAL, { built: false }, 'userns-kernel'],
  ['another flag is unknown', 'clone', EINVAL, {}, 'userns-refused'],
  ["docker's filter", 'clone', EPERM, { filtered: true }, 'userns-seccomp'],
  ["docker's filter on Debian 10", 'clone', EPERM, { ...DEBIAN_10, filtered: true }, 'userns-clone'],
  ['a chroot', 'clone', EPERM, {}, 'userns-refused'],
  ['a map that is refused', 'map', EPERM, {}, 'userns-refused'],
  ['a mount under another security module', 'mount', EACCES, {}, 'mount-refused'],
];
for (const [name, stage, errno, facts, expected] of CASES)
  test(name, () => assert.is(closedBy(stage, errno, { ...OPEN, ...facts }), expected));

test('each that has a switch says what it is and how it is opened', () => {
  for (const code of [
    'userns-clone',
    'userns-limit',
    'userns-apparmor',
    'userns-kernel',
    'userns-seccomp',
  ] as const) {
    assert.ok(CLOSED[code]?.reason && CLOSED[code]?.hint, code);
    assert.ok(
      CASES.some(each => each[4] === code),
      code,
    );
  }
});

test('the facts of this machine can be read', () => {
  const facts = usernsFacts();
  assert.is(facts.built, true);
  assert.type(facts.filtered, 'boolean');
});

test.run();
