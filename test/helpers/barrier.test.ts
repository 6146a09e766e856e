// run as: self, ranges, single
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeCanary } from '../support/canary.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';
import * as h from './harness.ts';

const test = requires(suite('helper barrier and root'), 'userns', 'busybox');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tsbox-hb-'));
const rootfs = path.join(dir, 'rootfs');
const E = os.constants.errno;

test.before.each(() => {
  fs.rmSync(rootfs, { recursive: true, force: true });
  h.busyboxTree(rootfs);
});
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

const begin = (plan: h.Rec[], ...head: h.Rec[]) =>
  new h.Run('supervise', [...h.header(dir, ['front', 'oe'], ...head), ['plan', 'init'], ...plan]);
const resume = (run: h.Run, ...plan: h.Rec[]) => run.channel.write(h.frame([['plan', 'resume'], ...plan]));

test('reads files beneath the root, regular ones of at most 1 MiB only', async () => {
  execFileSync('mkfifo', [path.join(rootfs, 'etc/fifo')]);
  fs.symlinkSync('/etc/passwd', path.join(rootfs, 'etc/link'));
  fs.symlinkSync('../../../../../../etc/hostname', path.join(rootfs, 'etc/out'));
  fs.writeFileSync(path.join(rootfs, 'etc/full'), Buffer.alloc(1 << 20, 'x'));
  fs.writeFileSync(path.join(rootfs, 'etc/huge'), '');
  fs.truncateSync(path.join(rootfs, 'etc/huge'), 5e9);
  const paths = ['passwd', 'fifo', 'link', 'out', 'full', 'huge', 'nope'].map(n => `/etc/${n}`);
  const run = begin([...h.rootPlan(), ['barrier', ...paths]]);
  const [, ...said] = (await within(10_000, run.event('prepared'))) ?? [];
  const passwd = 'root:x:0:0:root:/root:/bin/sh\n';
  const answers = paths.map((_, i) => said.slice(3 * i + 1, 3 * i + 3));
  assert.equal(answers.slice(0, 4), [
    ['0', passwd],
    [String(E.EINVAL), ''],
    ['0', passwd],
    [String(E.ENOENT), ''],
  ]);
  assert.is(answers[4]?.[1]?.length, 1 << 20);
  assert.equal(answers.slice(5), [
    [String(E.EFBIG), ''],
    [String(E.ENOENT), ''],
  ]);
  resume(run, h.env, h.sh('exit 4'));
  assert.is(await within(10_000, run.exit), 4);
});

test('failures after the barrier are those of `resume`', async () => {
  const run = begin([...h.rootPlan(), ['barrier']]);
  await within(10_000, run.event('prepared'));
  resume(run, h.env, ['levitate']);
  assert.is(await within(10_000, run.exit), 125);
  assert.equal(run.events.at(-1), ['failed', 'resume', '1', String(E.ENOSYS), 'levitate']);
});

test('at the barrier init is a sealed copy that nobody can write', async () => {
  const run = begin([...h.rootPlan(), ['barrier']], ['state', 'state.json']);
  await within(10_000, run.event('prepared'));
  const pid = await eventually(5000, 'init', () => h.processesWith(`tsbox: init ${h.ID}`)[0]);
  if (process.getuid?.() === 0) {
    await eventually(5000, 'the copy', () => fs.readlinkSync(`/proc/${pid}/exe`).startsWith('/memfd:'));
    assert.throws(() => fs.openSync(`/proc/${pid}/exe`, 'r+'), /ETXTBSY|EPERM/);
  }
  resume(run, h.env, ['exec', '/proc/self/exe', 'x']);
  await within(10_000, run.exit);
  assert.not.equal(run.events.at(-1)?.[0], 'started');
});

test('CVE-2019-5736: an entrypoint of /proc/self/exe gets the copy, not the installed helper', async () => {
  const before = fs.readFileSync(h.HELPER);
  fs.writeFileSync(path.join(rootfs, 'bin/evil'), '#!/proc/self/exe version\n', { mode: 0o755 });
  const run = begin([...h.rootPlan(), ['barrier']]);
  await within(10_000, run.event('prepared'));
  resume(run, h.env, ['exec', '/bin/evil', 'evil']);
  await within(10_000, run.exit);
  assert.ok(fs.readFileSync(h.HELPER).equals(before));
});

test('CVE-2024-21626: a working directory outside the root is refused', async () => {
  for (let fd = 3; fd < 40; fd += 3) {
    const run = begin([...h.rootPlan(), ['barrier']]);
    await within(10_000, run.event('prepared'));
    resume(run, ['chdir', `/proc/self/fd/${fd}`], h.env, ['exec', 'pwd', 'pwd']);
    const code = await within(10_000, run.exit);
    if (code === 0) assert.is(run.stdout.toString(), '/\n');
    else assert.is(code, 125);
  }
});

test('links in the image never lead a target out of the root', async () => {
  const canary = makeCanary(dir);
  for (const [at, to] of [
    ['abs', canary.dir],
    ['rel', `../../../../../../../../..${canary.dir}`],
    ['etc/resolv.conf', `${canary.dir}/new`],
  ] as const) {
    fs.symlinkSync(to, path.join(rootfs, at));
  }
  const run = begin([
    ['private'],
    ['bindroot', 'rootfs'],
    ['mkdir', '/abs/made', '755', 0, 0],
    ['mkdir', '/rel/made/deep', '755', 0, 0],
    ['file', '/abs/file', '644'],
    ['file', '/etc/resolv.conf', '644'],
    ['write', '/rel/text', 'hello', '644'],
    ['?write', '/etc/resolv.conf', 'hello', '644'],
    ['symlink', 'x', '/abs/link'],
    ['bind', '/dev/null', '/etc/resolv.conf', 0, 'c'],
    ['mount', 'tmpfs', 'tmpfs', '/abs/made', 0, '', 'c'],
    ['?mount', 'tmpfs', 'tmpfs', '/abs', 0, '', 'cs'],
    ['mask', '/rel/text'],
    ['readonly', '/rel'],
    ...h.rootPlan().slice(2),
    h.env,
    h.sh('find / -xdev -name made -o -xdev -name new | sort; ls -l /rel/text'),
  ]);
  assert.is(await within(10_000, run.exit), 0);
  assert.match(run.stdout.toString(), new RegExp(`^${canary.dir}/made\n${canary.dir}/new\n.*1, *3`));
  canary.assertUntouched();
  assert.is(fs.existsSync(path.join(rootfs, canary.dir, 'file')), true);
  fs.rmSync(canary.dir, { recursive: true });
});

test('CVE-2026-47766: /dev as a link, and `s` refuses it', async () => {
  const outside = path.join(dir, 'outside');
  fs.mkdirSync(outside, { recursive: true });
  fs.rmdirSync(path.join(rootfs, 'dev'));
  fs.symlinkSync(outside, path.join(rootfs, 'dev'));
  const run = begin([...h.rootPlan(), h.env, h.sh('true')]);
  assert.is(await within(10_000, run.exit), 125);
  assert.equal(run.events.at(-1)?.slice(0, 4), ['failed', 'init', '3', String(E.ELOOP)]);
  assert.equal(fs.readdirSync(outside), []);
});

test("`n` refuses a source that is no device; mask takes the host's null device", async () => {
  fs.symlinkSync('/proc/sys/kernel/core_pattern', path.join(rootfs, 'null'));
  const bad = begin([['private'], ['bindroot', 'rootfs'], ['bind', '/etc/passwd', '/x', 0, 'cn']]);
  await within(10_000, bad.exit);
  assert.equal(bad.events[0]?.slice(2, 4), ['2', String(E.ENODEV)]);
  const run = begin([
    ...h.rootPlan().slice(0, 3),
    ['mask', '/etc/passwd'],
    ['mask', '/root'],
    ['mask', '/not/there'],
    ['readonly', '/proc/sys'],
    ...h.rootPlan().slice(3),
    h.env,
    h.sh(
      'ls -l /etc/passwd; ls -A /root; touch /root/x; echo x > /proc/sys/kernel/domainname; touch /new && echo written',
    ),
  ]);
  await within(10_000, run.exit);
  assert.match(run.stdout.toString(), /^c.* 1, *3 .*\nwritten\n$/);
  assert.match(run.stderr.toString(), /root\/x: Read-only.*\n.*domainname: Read-only/s);
});

test('CVE-2025-52881: procwrite writes to the procfs it names or nowhere', async () => {
  const write = (plan: h.Rec[]) =>
    begin([
      ...plan,
      ['procwrite', '/proc/sys/net/ipv4/ip_forward', '1'],
      ['pivot'],
      h.env,
      h.sh('cat /proc/sys/net/ipv4/ip_forward'),
    ]);
  const proc: h.Rec = ['mount', 'proc', 'proc', '/proc', 0, '', 'cs'];
  const fine = write([['private'], ['bindroot', 'rootfs'], proc]);
  assert.is(await within(10_000, fine.exit), 0);
  assert.is(fine.stdout.toString(), '1\n');
  fs.mkdirSync(path.join(rootfs, 'proc/sys/net/ipv4'), { recursive: true });
  fs.symlinkSync('/etc/passwd', path.join(rootfs, 'proc/sys/net/ipv4/ip_forward'));
  const fake = write([['private'], ['bindroot', 'rootfs']]);
  assert.is(await within(10_000, fake.exit), 125);
  assert.is(fs.readFileSync(path.join(rootfs, 'etc/passwd'), 'utf8'), 'root:x:0:0:root:/root:/bin/sh\n');
  const covered = write([
    ['private'],
    ['bindroot', 'rootfs'],
    proc,
    ['bind', '/proc/sys/net/ipv4/ip_default_ttl', '/proc/sys/net/ipv4/ip_forward', 0, ''],
  ]);
  assert.is(await within(10_000, covered.exit), 125);
});

test('no capability is inheritable; the bounding set and ids are what the plan says', async () => {
  const run = begin([...h.rootPlan(), ['barrier']]);
  await within(10_000, run.event('prepared'));
  resume(
    run,
    ['bound', '400'],
    ['ids', 0, 0],
    ['caps', '400', '400', '0', '0'],
    ['nonewprivs'],
    h.env,
    h.sh('grep -E "Cap|NoNew" /proc/self/status'),
  );
  assert.is(await within(10_000, run.exit), 0);
  const want = { Inh: 0, Prm: 0x400, Eff: 0x400, Bnd: 0x400, Amb: 0 };
  for (const [name, value] of Object.entries(want))
    assert.match(
      run.stdout.toString(),
      new RegExp(`Cap${name}:\\s+${value.toString(16).padStart(16, '0')}\n`),
    );
  assert.match(run.stdout.toString(), /NoNewPrivs:\s+1/);
});

test('another user gets no capability and its groups', async () => {
  if (h.maps().some(m => m[0] === 'setgroups')) return;
  const run = begin([
    ...h.rootPlan(),
    ['owner', 33, 44],
    ['ids', 33, 44, 55, 66],
    ['caps', '0', '0', '0', '0'],
    h.env,
    h.sh(
      'id -u; id -g; id -G; grep CapEff /proc/self/status; echo again > /dev/stdout; ls -ln /proc/self/fd/1 >/dev/null; stat -L -c %u:%g /proc/self/fd/1',
    ),
  ]);
  assert.is(await within(10_000, run.exit), 0);
  assert.match(run.stdout.toString(), /^33\n44\n44 55 66\nCapEff:\s+0+\n.*33:44\n$/s);
});

test('rlimits are lowered and clamped, umask and names are set', async () => {
  const run = begin([
    ...h.rootPlan(),
    ['rlimit', 7, 100, 200],
    ['rlimit', 7, 500, -1],
    ['umask', '027'],
    ['hostname', 'box'],
    ['domainname', 'home'],
    ['loopback'],
    h.env,
    h.sh(
      'ulimit -Sn; ulimit -Hn; umask; hostname; cat /proc/sys/kernel/domainname; ifconfig lo | grep -c UP',
    ),
  ]);
  assert.is(await within(10_000, run.exit), 0);
  assert.is(run.stdout.toString(), '200\n200\n0027\nbox\nhome\n1\n');
});

test('bind flags: read-only and recursive', async () => {
  fs.mkdirSync(path.join(dir, 'vol/sub'), { recursive: true });
  const run = begin([
    ['private'],
    ['?hostmount', 'tmpfs', 'tmpfs', 'vol/sub', 0, ''],
    ['bindroot', 'rootfs'],
    ['bind', 'vol', '/ro', h.MS.RDONLY + h.MS.REC, 'c'],
    ['bind', 'vol', '/rw', h.MS.REC, 'c'],
    ...h.rootPlan().slice(2),
    h.env,
    h.sh('touch /ro/x; touch /ro/sub/x; touch /rw/y /rw/sub/y; ls /ro /ro/sub'),
  ]);
  assert.is(await within(10_000, run.exit), 0);
  // Before mount_setattr (Linux 5.12) what is mounted below cannot be made read-only.
  const old = Boolean(process.env.TSBOX_TEST_OLD);
  if (!old) assert.match(run.stdout.toString(), /sub\ny\n\n\/ro\/sub:\ny\n/);
  assert.is(run.stderr.toString().match(/Read-only/g)?.length, old ? 1 : 2);
  fs.rmSync(path.join(dir, 'vol'), { recursive: true });
});

test('rootreadonly', async () => {
  const plan = h.rootPlan();
  plan.splice(-2, 0, ['rootreadonly']);
  const run = begin([...plan, h.env, h.sh('touch /x; touch /dev/x && echo dev')]);
  assert.is(await within(10_000, run.exit), 0);
  assert.match(run.stderr.toString(), /x: Read-only/);
  assert.is(run.stdout.toString(), 'dev\n');
});

test.run();
