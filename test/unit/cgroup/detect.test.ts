import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ownGroup } from '../../../src/cgroup/detect.ts';

const test = suite('cgroup/detect');
const mount = (root: string, point: string): string =>
  `24 1 8:1 / / rw - ext4 /dev/x rw\n30 24 0:27 ${root} ${point} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate`;

const CASES: ReadonlyArray<readonly [string, string, string, string | undefined]> = [
  ['unified', '0::/user.slice/a.scope\n', mount('/', '/sys/fs/cgroup'), '/sys/fs/cgroup/user.slice/a.scope'],
  ['hybrid', '4:memory:/x\n0::/\n', mount('/', '/sys/fs/cgroup/unified'), '/sys/fs/cgroup/unified'],
  [
    'only a part is mounted, and we are in it',
    '0::/a/b/c\n',
    mount('/a', '/sys/fs/cgroup'),
    '/sys/fs/cgroup/b/c',
  ],
  ['we are its root', '0::/a\n', mount('/a', '/sys/fs/cgroup'), '/sys/fs/cgroup'],
  ['we are beside it', '0::/ab\n', mount('/a', '/sys/fs/cgroup'), undefined],
  ['outside of our cgroup namespace', '0::/../x\n', mount('/', '/sys/fs/cgroup'), undefined],
  ['v1 only', '4:memory:/x\n', mount('/', '/sys/fs/cgroup'), undefined],
  ['not mounted', '0::/x\n', '24 1 8:1 / / rw - ext4 /dev/x rw', undefined],
  ['nothing to read', '', '', undefined],
];

for (const [name, cgroup, mountinfo, expected] of CASES) {
  test(name, () => assert.is(ownGroup(cgroup, mountinfo), expected));
}

test.run();
