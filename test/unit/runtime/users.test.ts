import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { passwdWith, resolveGroups, resolveUser } from '../../../src/runtime/users.ts';

const users = suite('runtime/users');

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# comment
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
alice:x:1000:100:Alice:/home/alice:/bin/sh
1234:x:77:78:a name of digits:/srv:/bin/sh
broken:x:abc:1::/:
huge:x:4294967296:1::/:
nohome:x:2000:2000:::
`;
const GROUP = `root:x:0:
users:x:100:alice
wheel:x:10:root,alice
audio:x:63:alice
audio2:x:63:alice
555:x:556:
`;

const known: [spec: string, uid: number, gid: number, groups: number[], home: string][] = [
  ['', 0, 0, [10], '/root'],
  ['0', 0, 0, [10], '/root'],
  ['00', 0, 0, [10], '/root'],
  ['root', 0, 0, [10], '/root'],
  ['alice', 1000, 100, [100, 10, 63], '/home/alice'],
  ['1000', 1000, 100, [100, 10, 63], '/home/alice'],
  ['1000:', 1000, 100, [100, 10, 63], '/home/alice'],
  ['alice:wheel', 1000, 10, [], '/home/alice'],
  ['alice:0', 1000, 0, [], '/home/alice'],
  [':5', 0, 5, [], '/root'],
  ['4242', 4242, 0, [], '/'],
  ['4242:4243', 4242, 4243, [], '/'],
  ['1234', 77, 78, [], '/srv'],
  ['0:555', 0, 556, [], '/root'],
  ['nohome', 2000, 2000, [], '/'],
  ['2147483647', 2147483647, 0, [], '/'],
];

for (const [spec, uid, gid, groups, home] of known) {
  users(`-u ${JSON.stringify(spec)} is ${uid}:${gid}`, () => {
    assert.equal(resolveUser(spec, PASSWD, GROUP), { uid, gid, groups, home });
  });
}

const bad = [
  '-1',
  '1e3',
  '4294967295',
  '4294967296',
  '2147483648',
  'nobody',
  'broken',
  'huge',
  ' 0',
  '0 ',
  '0x0',
  '+0',
  'alice:nogroup',
  'alice:-1',
  'a:b:c',
  '1000:1e1',
  '#',
  'alice\n',
];

for (const spec of bad) {
  users(`-u ${JSON.stringify(spec)} is refused`, () => {
    assert.throws(
      () => resolveUser(spec, PASSWD, GROUP),
      (e: { code: string }) => e.code === 'USER',
    );
  });
}

users('an image without passwd and group has root and numbers', () => {
  assert.equal(resolveUser('', undefined, undefined), { uid: 0, gid: 0, groups: [], home: '/root' });
  assert.equal(resolveUser('7:8', undefined, undefined), { uid: 7, gid: 8, groups: [], home: '/' });
  assert.throws(() => resolveUser('root', undefined, undefined), /no user "root"/);
});

users('--group-add: names and numbers, keep-groups is none', () => {
  assert.equal(resolveGroups(['7', 'keep-groups'], undefined), [7]);
  assert.equal(resolveGroups(['extra'], 'extra:x:44:\n'), [44]);
  for (const bad of ['nope', '-1', '4294967296', '']) {
    assert.throws(() => resolveGroups([bad], 'extra:x:44:\n'), /--group-add /, bad);
  }
});

users('a line for an id that passwd lacks', () => {
  const user = { uid: 1234, gid: 5, home: '/' };
  const image = 'root:x:0:0::/root:/bin/sh\nme:x:7:7::/:/bin/sh';
  assert.is(passwdWith(user, image, undefined), `${image}\n1234:*:1234:5:container user:/:/bin/sh\n`);
  assert.match(passwdWith(user, image, 'you') ?? '', /\nyou:\*:1234:5:/);
  assert.match(passwdWith(user, '', 'you') ?? '', /^you:\*:/);
  // taken by somebody else, or more than a name
  for (const name of ['me', 'a:b', 'a\nroot', ''])
    assert.match(passwdWith(user, image, name) ?? '', /\n1234:\*:/);
  assert.is(passwdWith({ ...user, uid: 7 }, image, 'you'), undefined);
});

users.run();
