import { statfsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** What needs no control group: refusals, and what stands in for limits. Where there are groups, test/contract/cgroup.test.ts sees more. */
const test = requires(suite('limits'), 'userns', 'busybox');
test.after.each(removeContainers);
const NONE = ['--network', 'none'];

const WRONG: ReadonlyArray<readonly [readonly string[], RegExp]> = [
  [['-m', '5m'], /--memory 5242880: the least that is allowed is 6m/],
  [['--memory-swap', '1g'], /--memory-swap without --memory/],
  [['-m', '64m', '--memory-swap', '32m'], /--memory-swap is less than --memory/],
  [['-m', '64m', '--memory-reservation', '65m'], /--memory-reservation is more than --memory/],
  [['--memory-swappiness', '50'], /the second version of cgroups does not have it/],
  [['--oom-kill-disable'], /the second version of cgroups does not have it/],
  [['--cpus', 'x'], /invalid value "x" for --cpus/],
  [['--cpus', '100000'], /there are \d+ processors/],
  [['--cpus', '1', '--cpu-quota', '5000'], /contradict each other/],
  [['--cpu-period', '10'], /--cpu-period 10 is not 1000 to 1000000/],
  [['--cpu-quota', '10'], /--cpu-quota 10 is less than 1000/],
  [['-c', '5', '--cpu-weight', '5'], /contradict each other/],
  [['--cpuset-cpus', '1-0'], /invalid value "1-0" for --cpuset-cpus/],
  [['--cpuset-mems', 'x'], /invalid value "x" for --cpuset-mems/],
  [['--blkio-weight-device', '/dev/null:50'], /\/dev\/null is no block device/],
  [['--blkio-weight', '5'], /--blkio-weight 5 is not 10 to 1000/],
  [['--device-read-bps', 'sda:1mb'], /invalid value "sda:1mb" for --device-read-bps/],
  [['--device-read-bps', '/dev/null:1mb'], /\/dev\/null is no block device/],
  [['--limits', 'some'], /--limits "some" is not known/],
  [['--cgroupns', 'other'], /--cgroupns "other" is not known/],
];

for (const [flags, message] of WRONG) {
  test(`refused: ${flags.join(' ')}`, async () => {
    await (await busybox()).fails(125, message, 'create', ...flags, 'busybox', 'true');
  });
}

/** CGROUP2_SUPER_MAGIC */
const unified = statfsSync('/sys/fs/cgroup').type === 0x63677270;

test('without a group a limit is an error, or comes near', async () => {
  if (unified) return;
  const box = await busybox();
  await box.fails(125, /--memory cannot be enforced: .*cgroup v1/, 'run', '-m', '64m', 'busybox', 'true');
  const flags = ['--limits', 'best-effort', '-m', '64m', '-c', '512', '--pids-limit', '9'];
  const started = await box('run', '-d', '--name', 'near', ...NONE, ...flags, 'busybox', 'sleep', '100');
  assert.is(started.code, 0, started.stderr);
  assert.match(started.stderr, /--memory is approximated: RLIMIT_AS/);
  assert.match(started.stderr, /--pids-limit is refused/);
  const told = JSON.parse(await box.ok('inspect', '-f', '{{json .Tsbox.Limits}}', 'near')) as {
    Flag: string;
    Status: string;
  }[];
  assert.equal(
    told.map(each => `${each.Flag} ${each.Status}`),
    ['--memory approximated', '--cpu-shares approximated', '--pids-limit refused'],
  );
  // exec, too
  assert.is(
    await box.ok('exec', 'near', 'sh', '-c', 'ulimit -v; cut -d" " -f19 /proc/self/stat'),
    // setpriority(2): nobody can be less nice than whoever runs the tests.
    `65536\n${Math.max(2, getPriority())}`,
  );
});

test('info names the driver', async () => {
  const info = await (await busybox()).ok('info', '-f', '{{.CgroupDriver}} {{.CgroupVersion}}');
  assert.match(info, unified ? /^\w+ 2$/ : /^none 1?$/);
});

test.run();
