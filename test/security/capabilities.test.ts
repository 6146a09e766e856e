import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers, sh, sleeper } from '../support/ready.ts';
import { hasSubids, requires } from '../support/requires.ts';

/** What a container may, seen from inside: each flag is tested by its effect (CVE-2025-65105), run and exec alike. */
const test = requires(suite('capabilities'), 'userns', 'busybox');
test.after.each(removeContainers);

const DEFAULT = '00000000a80425fb';
const NONE = '0000000000000000';

interface Caps {
  readonly [name: string]: string | undefined;
}

const STATUS = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status';
const parse = (text: string): Caps =>
  Object.fromEntries(text.split('\n').map(line => line.split(/:\s*/) as [string, string]));
const inside = async (...flags: string[]): Promise<Caps> => parse(await sh(STATUS, ...flags));

test("root: docker's set, nothing inheritable or ambient (CVE-2022-27650), a filter in force", async () => {
  const caps = await inside();
  assert.is(caps.CapEff, DEFAULT);
  assert.is(caps.CapPrm, DEFAULT);
  assert.is(caps.CapBnd, DEFAULT);
  assert.is(caps.CapInh, NONE);
  assert.is(caps.CapAmb, NONE);
  assert.is(caps.Seccomp, '2');
});

test('exec gets the same', async () => {
  const id = await sleeper();
  const caps = parse(await (await busybox()).ok('exec', id, 'sh', '-c', STATUS));
  assert.is(caps.CapEff, DEFAULT);
  assert.is(caps.CapInh, NONE);
  assert.is(caps.CapAmb, NONE);
  assert.is(caps.Seccomp, '2');
});

if (hasSubids()) {
  test('another user: nothing effective, permitted or inheritable; the bounding set stays', async () => {
    const caps = await inside('-u', '1000:1000');
    for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) assert.is(caps[set], NONE, set);
    assert.is(caps.CapBnd, DEFAULT);
    assert.is(caps.Seccomp, '2');
  });
}

test('--cap-drop and --cap-add change what can be done', async () => {
  assert.is((await inside('--cap-drop', 'ALL')).CapEff, NONE);
  assert.is((await inside('--cap-drop', 'all', '--cap-add', 'chown')).CapEff, '0000000000000001');
  assert.is((await inside('--cap-add', 'NET_ADMIN')).CapBnd, '00000000a80435fb');
  const raise = 'ip link set lo down && echo done';
  assert.is(await sh(`${raise} 2>/dev/null || echo refused`), 'refused');
  assert.is(await sh(raise, '--cap-add', 'NET_ADMIN'), 'done');
  assert.is(await sh('chroot / true 2>/dev/null || echo refused', '--cap-drop', 'SYS_CHROOT'), 'refused');
});

test('no-new-privileges', async () => {
  assert.is((await inside()).NoNewPrivs, '0');
  assert.is((await inside('--security-opt', 'no-new-privileges')).NoNewPrivs, '1');
});

test("--privileged: everything that the user namespace can give, and no filter; the machine's files stay shut", async () => {
  const caps = await inside('--privileged');
  assert.is(BigInt(`0x${caps.CapEff}`) & 0x1ffffffffffn, BigInt(`0x${caps.CapBnd}`) & 0x1ffffffffffn);
  assert.is(
    await sh(
      'mount -t tmpfs none /mnt 2>/dev/null || { mkdir -p /mnt; mount -t tmpfs none /mnt; } && echo mounted',
      '--privileged',
    ),
    'mounted',
  );
  assert.is(
    await sh('echo x > /proc/sysrq-trigger 2>/dev/null && echo open || echo refused', '--privileged'),
    'refused',
  );
  assert.is(
    await sh(
      'echo x > /proc/sys/kernel/core_pattern 2>/dev/null && echo open || echo refused',
      '--privileged',
    ),
    'refused',
  );
});

test('a default container makes no namespaces and mounts nothing (CVE-2022-0492, CVE-2023-0386)', async () => {
  for (const command of [
    'unshare -U true',
    'unshare -m true',
    'unshare -r true',
    'mount -t tmpfs none /tmp',
    'mount -t cgroup2 none /tmp',
    'mount -o remount,rw /sys',
    'umount /proc',
  ]) {
    assert.is(
      await sh(`mkdir -p /tmp; ${command} 2>/dev/null && echo done || echo refused`),
      'refused',
      command,
    );
  }
});

test('an unknown capability or option is one clear line', async () => {
  const box = await busybox();
  await box.fails(
    125,
    /unknown capability "NET_ADMINS"/,
    'run',
    '--rm',
    '--cap-add',
    'NET_ADMINS',
    'busybox',
    'true',
  );
  await box.fails(125, /unknown capability/, 'run', '--rm', '--cap-drop', 'x', 'busybox', 'true');
  await box.fails(125, /security/, 'run', '--rm', '--security-opt', 'nonsense', 'busybox', 'true');
});

test.run();
