import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cgroupFacts } from '../../src/cgroup/detect.ts';
import { selectCgroup } from '../../src/cgroup/select.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { hasSubids, requires } from '../support/requires.ts';

const test = requires(suite('--strict and doctor --isolation'), 'userns', 'busybox');
test.after.each(removeContainers);
const fuse = requires(test, 'fuse', 'fuse-overlayfs');

const RUN = ['run', '--rm', '--network', 'none'];

test('--strict refuses what flags give away, all at once, before anything is started', async () => {
  const box = await busybox();
  const flags = ['--privileged', '--pid', 'host', '--security-opt', 'systempaths=unconfined'];
  const done = await box.fails(125, /--strict: not started/, ...RUN, '--strict', ...flags, 'busybox', 'true');
  for (const flag of ['--privileged', '--pid host', 'systempaths=unconfined'])
    assert.ok(done.stderr.includes(`${flag} gives a wall away`), done.stderr);
  assert.is(await box.ok('ps', '-aq'), '');
});

test('--strict says what this machine lacks; where it lacks nothing it starts, with no_new_privs', async () => {
  const box = await busybox();
  const done = await box(...RUN, '--strict', 'busybox', 'grep', 'NoNewPrivs', '/proc/self/status');
  const limits = selectCgroup(cgroupFacts()).driver.name !== 'none';
  if (hasSubids() && limits) return assert.is(done.stdout, 'NoNewPrivs:\t1\n', done.stderr);
  assert.is(done.code, 125);
  if (!hasSubids()) assert.match(done.stderr, /there is one user id/);
  if (!limits) assert.match(done.stderr, /no control group is delegated/);
});

fuse('doctor --isolation: a container tries what must not work, and says how each try ended', async () => {
  const box = (await busybox()).with({ limit: 60_000 });
  const checks = JSON.parse(await box.ok('doctor', '--isolation', '--json')) as {
    id: string;
    status: string;
    detail: string;
  }[];
  const status = new Map(checks.map(check => [check.id, check.status]));
  assert.ok(checks.length > 30);
  for (const id of ['host-file', 'signal', 'loopback', 'mount', 'clone3', 'device', 'capabilities', 'core'])
    assert.is(status.get(id), 'ok', id);
  assert.equal(
    checks.filter(check => check.status === 'fail'),
    [],
  );
});

fuse('the probe does see what is open', async () => {
  const box = await busybox();
  const { helperPath } = await import('../../src/host/binaries.ts');
  const flags = [
    '--privileged',
    '--root-emulation=false',
    '--ulimit',
    'core=-1',
    '-v',
    `${helperPath()}:/probe:ro`,
  ];
  const out = await box.ok(...RUN, ...flags, 'busybox', '/probe', 'probe', '/etc/passwd', '1', '1');
  for (const id of ['host-file', 'mount', 'unshare', 'keyctl', 'AF_VSOCK', 'capabilities', 'seccomp'])
    assert.match(out, new RegExp(`^${id} open`, 'm'));
});

test.run();
