import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { apparmorProfile, profileCommands } from '../../../src/engine/doctor-apparmor.ts';
import { FINDINGS } from '../../../src/engine/doctor-codes.ts';
import type { MachineFacts } from '../../../src/engine/doctor-facts.ts';
import { type Family, familyOf, installLine } from '../../../src/engine/doctor-packages.ts';
import { adminLines, REMEDIES } from '../../../src/engine/doctor-remedies.ts';
import type { HostCheck } from '../../../src/errors.ts';
import { BARE } from '../../support/machine-facts.ts';

const test = suite('engine/doctor-remedies');
const CODES = Object.keys(FINDINGS) as HostCheck[];

const admin = (code: HostCheck, more: Partial<MachineFacts> = {}): string[] => {
  const facts = { ...BARE, ...more };
  return adminLines(REMEDIES[code](facts).admin ?? [], facts);
};

const MACHINES: readonly Partial<MachineFacts>[] = [
  {},
  { family: undefined, helper: undefined, bootTool: undefined, systemd: false, udev: false, usermod: false },
  { local: false, family: 'alpine', subids: { ...BARE.subids, directory: true }, driver: 'cgroupfs' },
  { subids: { ...BARE.subids, free: undefined }, mappers: [], nosuid: undefined, delegation: undefined },
  { user: "o'neill $(id)", helper: "/home/o'neill/my $(id)/tsbox-helper", bootTool: 'grubby' },
];

test('against every finding, on every machine, something helps: a command, an administrator, or a choice', () => {
  for (const code of CODES)
    for (const more of MACHINES) {
      const remedy = REMEDIES[code]({ ...BARE, ...more });
      const words = [remedy.command, remedy.hint, ...admin(code, more)].filter(Boolean);
      assert.ok(words.length > 0, code);
      for (const word of words) assert.not.match(word ?? '', /undefined|\[object|NaN/, code);
      assert.not.match(`${remedy.command ?? ''}${remedy.hint ?? ''}`, /\n/, code);
    }
});

test('what an administrator types is a script that a shell can read', () => {
  const script = CODES.flatMap(code => MACHINES.flatMap(more => admin(code, more))).join('\n');
  const done = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
  assert.is(done.status, 0, done.stderr);
});

const EXACT: readonly (readonly [HostCheck, Partial<MachineFacts>, readonly string[]])[] = [
  ['subid-missing', {}, ['usermod --add-subuids 165536-231071 --add-subgids 165536-231071 alice']],
  [
    'subid-missing',
    { subids: { ...BARE.subids, uid: false } },
    ['usermod --add-subgids 165536-231071 alice'],
  ],
  [
    'subid-missing',
    { local: false },
    ['echo alice:165536:65536 >> /etc/subuid', 'echo alice:165536:65536 >> /etc/subgid'],
  ],
  [
    'subid-missing',
    { usermod: false, subids: { ...BARE.subids, gid: false } },
    ['echo alice:165536:65536 >> /etc/subuid'],
  ],
  [
    'userns-limit',
    {},
    [
      "printf '%s\\n' 'user.max_user_namespaces = 15000' >> /etc/sysctl.d/60-tsbox.conf",
      'sysctl -p /etc/sysctl.d/60-tsbox.conf',
    ],
  ],
  ['mapper-missing', {}, ['apt-get install -y uidmap']],
  ['mapper-setuid', {}, ['chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap']],
  ['mapper-nosuid', {}, ['mount -o remount,suid /usr']],
  ['tun-closed', { udev: false }, ['chmod 0666 /dev/net/tun']],
  [
    'userns-apparmor',
    { profile: apparmorProfile('/opt/tsbox/tsbox-helper') },
    ['apparmor_parser -r /etc/apparmor.d/tsbox-helper'],
  ],
  [
    'cgroup-controllers',
    { driver: 'cgroupfs', delegation: '/sys/fs/cgroup/job', lacking: ['io'] },
    ['echo +io > /sys/fs/cgroup/cgroup.subtree_control'],
  ],
  ['userns-seccomp', {}, []],
  ['linger-off', {}, []],
];
for (const [code, more, expected] of EXACT)
  test(`${code}: ${expected[0] ?? 'nothing for root'}`, () => assert.equal(admin(code, more), expected));

test('what the user may type', () => {
  assert.is(REMEDIES['linger-off'](BARE).command, 'loginctl enable-linger alice');
  assert.is(REMEDIES['cgroup-manager'](BARE).command, 'loginctl enable-linger alice');
  assert.is(REMEDIES['userns-apparmor'](BARE).command, undefined);
});

test('a limit that is used up is raised, not set to what it is', () => {
  assert.match(admin('userns-limit', { maxNamespaces: 40_000 }).join(), /= 80000'/);
});

test('delegation: the drop-in for systemd, a subtree elsewhere, another boot for version 1', () => {
  assert.match(
    admin('cgroup-controllers').join('\n'),
    /Delegate=cpu cpuset io memory pids.*delegate\.conf\nsystemctl daemon-reload/,
  );
  const subtree = admin('cgroup-foreign', { systemd: false }).join('\n');
  assert.match(subtree, /mkdir -p \/sys\/fs\/cgroup\/tsbox-1000\n/);
  assert.match(subtree, /chown alice \/sys\/fs\/cgroup\/tsbox-1000 .*cgroup\.procs.*cgroup\.subtree_control/);
  assert.match(subtree, /echo 4711 > /);
  assert.match(admin('cgroup-v1').join('\n'), /unified_cgroup_hierarchy=1.*grub\nupdate-grub/);
  assert.match(admin('cgroup-v1', { bootTool: 'grubby' }).join('\n'), /^grubby --update-kernel=ALL/);
});

test('the profile is for the helper’s path, and nothing in a path gets out of it', () => {
  assert.equal(apparmorProfile('/opt/tsbox/tsbox-helper').split('\n'), [
    'abi <abi/4.0>,',
    'include <tunables/global>',
    '',
    'profile tsbox-helper /opt/tsbox/tsbox-helper flags=(unconfined) {',
    '  userns,',
    '',
    '  include if exists <local/tsbox-helper>',
    '}',
  ]);
  const attached = (path: string) =>
    apparmorProfile(path).split('\n')[3]?.slice('profile tsbox-helper '.length);
  assert.is(attached('/a b/tsbox-helper'), '"/a b/tsbox-helper" flags=(unconfined) {');
  assert.is(attached('/a*{b}[c]?/h'), '/a\\*\\{b\\}\\[c\\]\\?/h flags=(unconfined) {');
  const unpacked = `/home/alice/.cache/tsbox/helper-${'0a'.repeat(16)}`;
  assert.is(attached(unpacked), '/home/alice/.cache/tsbox/helper-* flags=(unconfined) {');
});

test('a shell writes the profile as it is, whatever the path', () => {
  const path = "/home/o'neill/$(id) `id`/tsbox-helper";
  const [write = ''] = profileCommands(path);
  const done = spawnSync('sh', ['-c', write.replace(/ > \S+$/, '')], { encoding: 'utf8' });
  assert.is(done.stdout, `${apparmorProfile(path)}\n`);
});

const RELEASES: readonly (readonly [string, Family | undefined])[] = [
  ['ID=debian\n', 'debian'],
  ['NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', 'debian'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'debian'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'fedora'],
  ["ID='fedora'\n", 'fedora'],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'suse'],
  ['ID="sles"\n', 'suse'],
  ['ID=arch\n', 'arch'],
  ['ID=manjaro\nID_LIKE=arch\n', 'arch'],
  ['ID=alpine\n', 'alpine'],
  ['ID=nixos\n', undefined],
  ['', undefined],
];
for (const [text, family] of RELEASES)
  test(`os-release ${JSON.stringify(text)}`, () => assert.is(familyOf(text), family));

test('packages have the names of their distribution, each once', () => {
  assert.is(installLine('debian', ['newuidmap', 'nft', 'newuidmap']), 'apt-get install -y uidmap nftables');
  assert.is(installLine('alpine', ['newuidmap']), 'apk add shadow-subids shadow-uidmap');
  assert.is(installLine('suse', ['newuidmap']), 'zypper --non-interactive install shadow');
  assert.is(installLine(undefined, ['newuidmap']), '# install the programs newuidmap');
});

test.run();
