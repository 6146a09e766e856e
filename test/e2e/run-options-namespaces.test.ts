import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers, sh, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** Flags about namespaces, ids and kernel settings, seen from inside. */
const test = requires(suite('run: namespaces and users'), 'userns', 'busybox');
test.after.each(removeContainers);
const ranges = requires(test, 'subid');
const noSubids = requires(test, 'nosubid');
const RUN = ['run', '--rm', '--network', 'none'];
/** Seconds that no other test sleeps, and a pattern that does not find itself. */
const MARK = String(10_000_000 + process.pid);
const PATTERN = `${MARK.slice(0, -1)}[${MARK.slice(-1)}]`;
const link = (name: string): string => readlinkSync(`/proc/self/ns/${name}`);

test('--pid host: the processes of this machine, with its procfs', async () => {
  const out = await sh(
    `readlink /proc/self/ns/pid; cat /proc/${process.pid}/comm; echo 1 >/proc/sys/kernel/msgmax || echo ro`,
    '--pid',
    'host',
  );
  assert.match(out, new RegExp(`^${link('pid').replace(/[[\]]/g, '\\$&')}\n\\S+\nro$`));
});

test('--pid host: exec is there, too, and rm -f ends it', async () => {
  const id = await sleeper('--pid', 'host');
  const box = await busybox();
  assert.is(await box.ok('exec', id, 'readlink', '/proc/self/ns/pid'), link('pid'));
  await box.ok('rm', '-f', id);
});

test('--ipc host shares, none and shareable are the container’s own', async () => {
  const script = 'readlink /proc/self/ns/ipc; mount | grep -c " /dev/shm "';
  assert.is(await sh(script, '--ipc', 'host'), `${link('ipc')}\n1`);
  const [own, none] = [await sh(script, '--ipc', 'shareable'), await sh(`${script}; true`, '--ipc', 'none')];
  assert.not.match(own, link('ipc'));
  assert.match(own, /\n1$/);
  assert.not.match(none, link('ipc'));
  assert.match(none, /\n0$/);
});

test('--pid host: what the command leaves behind ends with it', async () => {
  const box = await busybox();
  const marks = (): number => readdirSync('/proc').filter(pid => isMarked(pid)).length;
  await box.ok(
    'run',
    '--rm',
    '--network',
    'none',
    '--pid',
    'host',
    'busybox',
    'sh',
    '-c',
    `sleep ${MARK} & sleep 0.1`,
  );
  assert.is(marks(), 0);
});

test('--pid container: the same processes; what it leaves behind ends with it, the other goes on', async () => {
  const box = await busybox();
  const id = await sleeper('--name', 'looked-at');
  const script = 'readlink /proc/self/ns/pid; tr "\\0" " " < /proc/1/cmdline; kill -0 1 && echo may';
  const out = await sh(script, '--pid', 'container:looked-at');
  assert.is(out, `${await box.ok('exec', id, 'readlink', '/proc/self/ns/pid')}\nsleep 1000 may`);
  await sh(`sleep ${MARK} & sleep 0.1`, '--pid', 'container:looked-at');
  await box.ok(
    'run',
    '-d',
    '--name',
    'guest',
    '--pid',
    `container:${id}`,
    '--network',
    'none',
    'busybox',
    'sleep',
    MARK,
  );
  const inside = async (): Promise<number> =>
    (await box.ok('exec', id, 'sh', '-c', `grep -c ${PATTERN} /proc/[0-9]*/cmdline || :`))
      .split('\n')
      .filter(line => /:1$/.test(line)).length;
  assert.is((await box.ok('top', 'guest')).split('\n').length, 2);
  assert.is(await inside(), 1, 'the guest alone');
  await box.ok('rm', '-f', 'guest');
  assert.is(await inside(), 0);
  assert.is(await box.ok('exec', id, 'echo', 'on'), 'on');
});

test('--ipc container: one namespace and one /dev/shm, if that container allows it', async () => {
  const box = await busybox();
  const id = await sleeper('--name', 'donor', '--ipc', 'shareable');
  await box.ok('exec', id, 'sh', '-c', 'echo there > /dev/shm/x');
  const script = 'readlink /proc/self/ns/ipc; cat /dev/shm/x; echo back > /dev/shm/y';
  const out = await sh(script, '--ipc', 'container:donor', '--pid', 'container:donor');
  assert.is(out, `${await box.ok('exec', id, 'readlink', '/proc/self/ns/ipc')}\nthere`);
  assert.is(await box.ok('exec', id, 'cat', '/dev/shm/y'), 'back');
  await sleeper('--name', 'closed');
  await box.fails(
    125,
    /its ipc namespace is private/,
    ...RUN,
    '--ipc',
    'container:closed',
    'busybox',
    'true',
  );
  const two = ['--ipc', 'container:donor', '--pid', 'container:closed'];
  await box.fails(125, /name different containers/, ...RUN, ...two, 'busybox', 'true');
  await box.ok('stop', '-t', '0', 'donor');
  await box.fails(
    125,
    /cannot be joined: it is not running/,
    ...RUN,
    '--ipc',
    'container:donor',
    'busybox',
    'true',
  );
});

function isMarked(pid: string): boolean {
  try {
    return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(MARK);
  } catch {
    return false;
  }
}

test('--cgroupns host: the control groups as the machine names them', async () => {
  const script = 'readlink /proc/self/ns/cgroup';
  assert.is(await sh(script, '--cgroupns', 'host'), link('cgroup'));
  assert.not.equal(await sh(script), link('cgroup'));
});

test('--uts host: the machine’s name, in the files as well', async () => {
  const name = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
  const out = await sh('readlink /proc/self/ns/uts; hostname; cat /etc/hostname', '--uts', 'host');
  assert.is(out, `${link('uts')}\n${name}\n${name}`);
});

test('--domainname', async () => {
  const out = await sh(
    'cat /proc/sys/kernel/domainname; grep -c "web.example web" /etc/hosts',
    '--hostname',
    'web',
    '--domainname',
    'example',
  );
  assert.is(out, 'example\n1');
});

ranges('--group-add by number and by name', async () => {
  assert.is(
    await sh('id -G', '-u', 'app', '--group-add', '7', '--group-add', 'extra', '--group-add', 'bin'),
    '1000 1 7 44',
  );
  const id = await sleeper('-u', '1000', '--group-add', '7');
  assert.match(await (await busybox()).ok('exec', id, 'id', '-G'), /\b7\b/);
});

test('--group-add keep-groups: nobody inside can take or give up a group', async () => {
  assert.is(await sh('cat /proc/self/setgroups', '--group-add', 'keep-groups'), 'deny');
  const out = await sh('grep Groups: /proc/self/status', '--group-add', 'keep-groups');
  const count = (text: string) => text.replace('Groups:', '').trim().split(/\s+/).filter(Boolean).length;
  const own = /^Groups:.*/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[0] ?? '';
  assert.is(count(out), count(own), out);
});

noSubids('--group-add where nobody can be given groups', async () => {
  await (await busybox()).fails(
    125,
    /44: without subordinate ids/,
    ...RUN,
    '--group-add',
    '44',
    'busybox',
    'true',
  );
});

ranges('-u with a number that passwd lacks: a name for it, and the image’s file as it was', async () => {
  const box = await busybox();
  const script = 'whoami; tail -n 1 /etc/passwd; wc -l < /etc/passwd; ls -A /dev | grep -c tsbox';
  assert.is(await sh(`${script}; true`, '-u', '4321'), '4321\n4321:*:4321:0:container user:/:/bin/sh\n4\n0');
  assert.is(await sh('grep -c : /etc/passwd; whoami', '-u', '1000'), '3\napp');
  await box.ok('run', '--network', 'none', '--name', 'numbered', '-u', '4321', 'busybox', 'true');
  await box.ok('start', '-a', 'numbered');
  assert.not.match(await box.ok('diff', 'numbered'), /passwd/);
});

test('--sysctl and --oom-score-adj', async () => {
  const out = await sh(
    'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmni /proc/self/oom_score_adj',
    '--sysctl',
    'net.ipv4.ip_default_ttl=77',
    '--sysctl',
    'kernel.shmmni=99',
    '--oom-score-adj',
    '321',
  );
  assert.is(out, '77\n99\n321');
});

test('--security-opt systempaths=unconfined shows all of /proc; labels that nobody sets may be named', async () => {
  const script = 'grep -c " /proc/" /proc/self/mounts; true';
  assert.not.equal(await sh(script), '0');
  const flags = ['systempaths=unconfined', 'label=disable', 'apparmor:unconfined'].flatMap(o => [
    '--security-opt',
    o,
  ]);
  assert.is(await sh(script, ...flags), '0');
});

/** The rest of the table is in test/unit/engine/create-flags.test.ts. */
const BAD: [string[], RegExp][] = [
  [['--pid', 'container:x'], /no such container: x/],
  [['--uts', 'container:x'], /--uts "container:x" is not known/],
  [['--sysctl', 'foo=1'], /--sysctl foo: it belongs to the whole machine[\s\S]*net\.\*/],
  [['--sysctl', 'net.core.no_such=1'], /kernel setting net.core.no_such=1: this kernel has no such/],
  [['--oom-score-adj', '-500'], /only root may go below -?\d+/],
  [['--userns', 'keep-id:uid=x'], /mode "keep-id:uid=x" is not known[\s\S]*keep-id:uid=1000/],
  [['--security-opt', 'label=type:x'], /security labels can only be set by root/],
];

test('a bad flag is said before an image is looked for', async () => {
  const box = await busybox();
  const flags = [
    ['--pid', 'x'],
    ['--restart', 'x'],
    ['--ulimit', 'x'],
    ['-v', '/a:b'],
    ['--userns', 'x'],
  ];
  for (const flag of flags) {
    const done = await box.fails(125, /./, 'run', ...flag, '127.0.0.1:1/no/such:image', 'true');
    assert.not.match(done.stderr, /127\.0\.0\.1/, flag.join(' '));
  }
});

test('bad values are one line each', async () => {
  const box = await busybox();
  for (const [flags, message] of BAD) await box.fails(125, message, ...RUN, ...flags, 'busybox', 'true');
});

test.run();
