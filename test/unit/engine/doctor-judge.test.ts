import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CgroupFacts, CgroupProbe } from '../../../src/cgroup/driver.ts';
import { cgroupDriver, selectCgroup } from '../../../src/cgroup/select.ts';
import type { Answer } from '../../../src/engine/doctor-answer.ts';
import * as judge from '../../../src/engine/doctor-judge.ts';
import { judgeCgroup, judgeLinger } from '../../../src/engine/doctor-judge-limits.ts';

/** Every branch on machines that nobody has here. */
const test = suite('engine/doctor-judge');

const shown = (answer: Answer): string =>
  answer.status === 'ok' ? `ok: ${answer.detail}` : `${answer.status} ${answer.code}: ${answer.detail}`;

function cases(name: string, rows: readonly (readonly [Answer, RegExp])[]): void {
  for (const [i, [answer, expected]] of rows.entries())
    test(`${name} ${i + 1}`, () => {
      assert.match(shown(answer), expected);
      assert.not.match(answer.detail, /\n/);
    });
}

cases('node', [
  [judge.judgeNode('v20.11.0'), /^ok: v20/],
  [judge.judgeNode('v22.0.0'), /^ok/],
  [judge.judgeNode('v20.10.9'), /^fail node-old: v20\.10\.9 is older than 20\.11/],
  [judge.judgeNode('v18.99.0'), /^fail node-old/],
]);

cases('kernel', [
  [judge.judgeKernel('6.1.0-18-amd64', [6, 1]), /^ok/],
  [judge.judgeKernel('5.11.0', [5, 11]), /^ok/],
  [judge.judgeKernel('5.10.0', [5, 10]), /^warn overlay-kernel/],
  [judge.judgeKernel('4.18.0-553.el8', [4, 18]), /^warn overlay-kernel/],
  [judge.judgeKernel('4.17.0', [4, 17]), /^fail kernel-old/],
  [judge.judgeKernel('3.10.0-1160.el7', [3, 10]), /^fail kernel-old/],
]);

const said = (stdout: string, status: number | null, stderr = '') => ({ path: '/h', stdout, stderr, status });
cases('helper', [
  [judge.judgeHelper(said('7\n', 0), '7'), /^ok: \/h, protocol 7/],
  [judge.judgeHelper(said('6\n', 0), '7'), /^fail helper-broken: .*: 6$/],
  [judge.judgeHelper(said('', 126, 'no'), '7'), /^fail helper-broken: .*: no$/],
  [judge.judgeHelper(said('', null), '7'), /^fail helper-broken: .*signal/],
]);

cases('devices', [
  [judge.judgeDevice('fuse', undefined), /^ok/],
  [judge.judgeDevice('fuse', 'ENOENT'), /^warn fuse-missing/],
  [judge.judgeDevice('fuse', 'ENODEV'), /^warn fuse-missing/],
  [judge.judgeDevice('fuse', 'EACCES'), /^warn fuse-closed: .*EACCES/],
  [judge.judgeDevice('tun', 'ENOENT'), /^warn tun-missing/],
  [judge.judgeDevice('tun', 'EPERM'), /^warn tun-closed/],
]);

const disk = { name: 'ext4', noUpper: false, available: 2 ** 40, inodes: 10 ** 6 };
cases('store', [
  [judge.judgeStore('/s', disk), /^ok: \/s on ext4, 1048576 MiB free/],
  [judge.judgeStore('/s', { ...disk, name: 'nfs', noUpper: true }), /^warn store-filesystem: \/s on nfs/],
  [judge.judgeStore('/s', { ...disk, available: 2 ** 20 }), /^warn store-space: .* 1 MiB/],
  [judge.judgeStore('/s', { ...disk, inodes: 50 }), /^warn store-space: .* 50 inodes/],
  [judge.judgeStore('/s', { ...disk, name: 'btrfs', inodes: 0 }), /^ok/],
]);

const no = (check: 'slirp4netns-missing' | 'pasta-missing' | 'tun-closed') => ({
  ok: false,
  reason: 'why',
  check,
});
cases('drivers', [
  [judge.judgeStorage('overlay', { ok: true }), /^ok/],
  [judge.judgeStorage('overlay', { ok: false }), /^warn overlay-refused: does not work here/],
  [
    judge.judgeStorage('overlay', { ok: false, reason: 'x', check: 'overlay-module' }),
    /^warn overlay-module: x/,
  ],
  [judge.judgeStorage('fuse-overlayfs', { ok: false, reason: 'x' }), /^warn fuse-overlayfs-failed: x/],
  [judge.judgeSlirp({ ok: true }), /^ok/],
  [judge.judgeSlirp(no('slirp4netns-missing')), /^warn slirp4netns-missing/],
  [judge.judgeSlirp(no('tun-closed')), /^warn tun-closed/],
  [judge.judgePasta({ ok: true }, { ok: false }), /^ok/],
  [judge.judgePasta(no('pasta-missing'), { ok: true }), /^ok: why; slirp4netns is taken/],
  [judge.judgePasta(no('pasta-missing'), no('slirp4netns-missing')), /^warn pasta-missing/],
  [judge.judgeFilter({ nft: '/n', iptables: '/i' }), /^ok: \/n$/],
  [judge.judgeFilter({ iptables: '/i' }), /^ok: \/i, since/],
  [judge.judgeFilter({}), /^warn filter-missing/],
]);

cases('ports', [
  [
    judge.judgePorts({ address: undefined, start: 1024, root: false }),
    /^ok: .*0\.0\.0\.0 and ::.*ports below 1024/,
  ],
  [judge.judgePorts({ address: '127.0.0.1', start: 0, root: false }), /^ok: -p listens on 127\.0\.0\.1$/],
  [judge.judgePorts({ address: '127.0.0.1', start: 1024, root: true }), /127\.0\.0\.1$/],
]);

cases('ids', [
  [judge.judgeIds({ mode: 'ranges', users: 65_537, groups: 65_537 }), /^ok: ranges: 65537 user ids/],
  [
    judge.judgeIds({
      mode: 'single',
      users: 1,
      groups: 1,
      warning: 'no mapper: single; ask',
      check: 'mapper-missing',
    }),
    /^warn mapper-missing: no mapper: single$/,
  ],
]);

cases('namespaces and errors', [
  [judge.judgeNamespaces(['pid', 'net'], []), /^ok: pid, net/],
  [judge.judgeNamespaces(['pid', 'net'], ['net']), /^fail namespaces-missing: cannot be made: net$/],
  [judge.judgeError('userns-apparmor', 'mount-refused', 'x'), /^fail userns-apparmor: AppArmor lets/],
  [judge.judgeError(undefined, 'pivot-refused', 'x'), /^fail pivot-refused: x$/],
]);

const facts: CgroupFacts = {
  layout: 'v2',
  mount: '/sys/fs/cgroup',
  own: '/sys/fs/cgroup/user.slice',
  controllers: [],
  delegated: false,
  userBus: undefined,
  systemd: true,
};
const judged = (more: Partial<CgroupFacts>): Answer => {
  const there = { ...facts, mount: '/nonexistent', own: '/nonexistent/own', ...more };
  return judgeCgroup(there, selectCgroup(there));
};
const chosen = (name: 'systemd' | 'cgroupfs', controllers: string): Answer => {
  const probe: CgroupProbe = { ok: true, controllers: controllers.split(' '), delegation: '/g' };
  return judgeCgroup(facts, { driver: cgroupDriver(name), probe, refused: [] });
};
cases('control groups', [
  [judged({ layout: 'hybrid' }), /^warn cgroup-v1: no limits: .*hybrid/],
  [judged({ layout: 'v1' }), /^warn cgroup-v1: .*v1 alone/],
  [judged({ layout: 'none' }), /^warn cgroup-unmounted/],
  [judged({}), /^warn cgroup-manager: .*systemd: no systemd manager.*cgroupfs: .*somebody else/],
  [judged({ systemd: false }), /^warn cgroup-foreign/],
  [
    chosen('systemd', 'cpu memory pids'),
    /^warn cgroup-controllers: systemd at \/g, .*not delegated: cpuset io/,
  ],
  [chosen('systemd', 'cpu cpuset io memory pids'), /^ok: systemd at \/g/],
  [chosen('cgroupfs', 'cpu memory pids'), /^ok: cgroupfs at \/g.*not delegated: cpuset io/],
  [chosen('cgroupfs', 'memory'), /^warn cgroup-controllers/],
]);

cases('linger', [
  [judgeLinger({ ends: false, lingers: false }), /^ok/],
  [judgeLinger({ ends: true, lingers: true }), /^ok: .*lingering is on/],
  [judgeLinger({ ends: true, lingers: false }), /^warn linger-off/],
]);

test.run();
