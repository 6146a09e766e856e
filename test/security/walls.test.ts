import { copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { helperPath } from '../../src/host/binaries.ts';
import { singleMaps } from '../../src/host/idmap.ts';
import { CLONE, MS } from '../../src/plan/flags.ts';
import { type CheckFields, type Op, ops } from '../../src/plan/ops.ts';
import { DEFAULT_CAPABILITIES } from '../../src/runtime/capabilities.ts';
import { enter } from '../../src/runtime/enter.ts';
import { collect } from '../support/cli.ts';
import { busybox, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { within } from '../support/within.ts';

/** The walls behind the walls (docs/isolation.md), each with the wall before it broken. */
const test = requires(suite('second walls'), 'userns', 'busybox');
test.after.each(removeContainers);

const dir = mkdtempSync(join(tmpdir(), 'tsbox-walls-'));
test.after(() => rmSync(dir, { recursive: true, force: true }));
mkdirSync(join(dir, 'root/bin'), { recursive: true });
mkdirSync(join(dir, 'outside'));
copyFileSync('/bin/busybox', join(dir, 'root/bin/busybox'));
writeFileSync(join(dir, 'outside/secret'), 'of the host');

const why = 'test';
const { uid, gid } = userInfo();

interface Walk {
  readonly stdin?: number;
  readonly command: readonly string[];
}

/** A root of its own like a container's, then these operations, then a command of busybox in it. */
async function walk(walls: readonly Op[], { stdin, command }: Walk) {
  const plan = [
    ops.private(why),
    ops.bindroot('root', why),
    ops.mount({ type: 'proc', target: '/proc', flags: MS.NOSUID | MS.NODEV | MS.NOEXEC, how: 'c' }, why),
    ops.pivot(why),
    ops.chdir('/', why),
    ...walls,
    ops.exec('/bin/busybox', ['busybox', ...command], why),
  ];
  const host = { helper: helperPath(), cwd: dir, maps: singleMaps(uid, gid) };
  const options = { name: 'walls', clone: CLONE.NEWPID, stdio: [stdin ?? 'ignore', 'pipe', 'pipe'] as const };
  const { child, result } = enter(host, plan, options);
  const [stdout, stderr] = [collect(child.stdout as Readable), collect(child.stderr as Readable)];
  const status = await within(10_000, result, 'the walk');
  return { status, stdout: stdout(), stderr: stderr() };
}

const LEAKED = ['cat', '/proc/self/fd/0/secret'];

test('a descriptor of a directory of the host that has slipped in: without Landlock it is a way out', async () => {
  const stdin = openSync(join(dir, 'outside'), 'r');
  assert.is((await walk([], { stdin, command: LEAKED })).stdout, 'of the host');
});

test('with Landlock it is none, and the files of the root work as ever', async () => {
  const stdin = openSync(join(dir, 'outside'), 'r');
  const walls = [ops.landlock(0, true, why)];
  const out = await walk(walls, { stdin, command: LEAKED });
  assert.is(out.status, 1);
  assert.match(out.stderr, /Permission denied/);
  const work =
    'mkdir /a /b; echo x > /a/f; mv /a/f /b/g; cat /b/g; rm -r /a /b; cat /dev/stdin < /proc/self/fd/0';
  assert.is((await walk(walls, { command: ['sh', '-c', work] })).stdout, 'x\n');
});

const CHECK: CheckFields = {
  uid: 0,
  gid: 0,
  effective: DEFAULT_CAPABILITIES,
  permitted: DEFAULT_CAPABILITIES,
  inheritable: 0n,
  bounding: DEFAULT_CAPABILITIES,
  ambient: 0n,
  noNewPrivileges: true,
  filter: true,
};
const ALLOW_ALL = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0xff, 0x7f);
const PREPARED: readonly Op[] = [
  ops.bound(CHECK.bounding, why),
  ops.nonewprivs(why),
  ops.seccomp(ALLOW_ALL, why),
  ops.caps(CHECK, why),
];

async function refused(done: readonly Op[], stdin?: number): Promise<string> {
  try {
    await walk([...done, ops.selfcheck(CHECK, why)], { command: ['true'], ...(stdin && { stdin }) });
    return 'executed';
  } catch (error) {
    return (error as Error).message;
  }
}

test('the self-check: when all is as asked, the command runs', async () => {
  assert.is(await refused(PREPARED), 'executed');
});

for (const [left, said] of [
  ['bound', 'bounding set'],
  ['nonewprivs', 'no_new_privs'],
  ['seccomp', 'system call filter'],
  ['caps', 'capabilities'],
] as const) {
  test(`the self-check: without ${left}, nothing is executed and "${said}" is named`, async () => {
    const done = PREPARED.filter(op => op.name !== left);
    assert.match(await refused(done), new RegExp(said));
  });
}

test('the self-check: a directory as standard input (CVE-2024-21626) is refused', async () => {
  assert.match(await refused(PREPARED, openSync(join(dir, 'outside'), 'r')), /descriptors/);
});

test('id maps that are not what was asked for end the start', async () => {
  const other = [{ inside: 0, outside: uid + 1, count: 1 }];
  const host = { helper: helperPath(), cwd: dir, maps: singleMaps(uid, gid) };
  const { result } = enter(host, [ops.idmap(other, other, why)], { name: 'walls' });
  let message = '';
  await result.catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, /uid map/);
});

test('no user namespace below, by the kernel’s own count and by the filter', async () => {
  assert.is(
    await sh('cat /proc/sys/user/max_user_namespaces; unshare -U true 2>/dev/null || echo no'),
    '0\nno',
  );
  const allowed = await sh('unshare -U echo yes', '--security-opt', 'userns=allow');
  assert.is(allowed, 'yes');
});

test('no core dump leaves a container: the limit that pipes of core_pattern heed, too', async () => {
  assert.match(await sh('cat /proc/self/limits'), /^Max core file size +1 +1 /m);
});

test('exec may look at the container’s processes, as docker’s may', async () => {
  const box = await busybox();
  const id = await box.ok('run', '-d', '--network', 'none', 'busybox', 'sleep', '100');
  assert.match(
    await box.ok('exec', id, 'sh', '-c', 'ls -l /proc/1/exe; echo said > /proc/1/fd/1'),
    /busybox/,
  );
  assert.is(await box.ok('logs', id), 'said');
});

test('the caller’s session keyring stays outside where the filter is not there to refuse keyctl', async () => {
  const names = await sh('cat /proc/keys 2>/dev/null; true', '--security-opt', 'seccomp=unconfined');
  assert.not.match(names, /_ses\.|_uid_ses/);
});

test.run();
