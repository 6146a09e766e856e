import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { busybox, field, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

const test = requires(suite('run: options'), 'userns', 'busybox');
test.after.each(removeContainers);
const ranges = requires(test, 'subid');
const RUN = ['run', '--rm', '--network', 'none'];

test('-e sets, a bare -e NAME passes the caller’s value on', async () => {
  const box = (await busybox()).with({ env: { FROM_HERE: 'yes', OTHER: 'no' } });
  const out = await box.ok(
    ...RUN,
    '-e',
    'A=1 2',
    '-e',
    'FROM_HERE',
    '--env=E=',
    '-e',
    'UNSET',
    'busybox',
    'env',
  );
  const lines = out.split('\n');
  for (const line of ['A=1 2', 'FROM_HERE=yes', 'E=']) assert.ok(lines.includes(line), out);
  assert.not.match(out, /^(OTHER|UNSET)/m);
});

test('the start-up script keeps to itself that it takes NODE_EXTRA_CA_CERTS from Node', async () => {
  const box = (await busybox()).with({ env: { NODE_EXTRA_CA_CERTS: '/my ca.pem' } });
  const out = await box.ok(
    ...RUN,
    '-e',
    'NODE_EXTRA_CA_CERTS',
    '-e',
    'TSBOX_EXTRA_CA_CERTS',
    'busybox',
    'env',
  );
  assert.equal(out.match(/^.*CA_CERTS.*$/gm), ['NODE_EXTRA_CA_CERTS=/my ca.pem']);
});

test('nothing of the caller’s environment leaks in', async () => {
  const box = (await busybox()).with({ env: { CANARY: 'x', LD_LIBRARY_PATH: '/x', TSBOX_DEBUG: '' } });
  const names = (await box.ok(...RUN, 'busybox', 'env')).split('\n').map(line => line.split('=')[0]);
  // in single mode apt must not drop its privileges, which it takes from a file that this names
  const own = names.filter(name => name !== 'APT_CONFIG');
  assert.equal(own.sort(), ['HOME', 'HOSTNAME', 'PATH']);
});

test('--env-file: comments, bare names, values kept as they are', async () => {
  const box = (await busybox()).with({ env: { BARE: 'from caller' } });
  const file = join(box.home.dir, 'env');
  writeFileSync(file, '# comment\n\nA=1\nQ="quoted"\nS=a b=c\nBARE\n');
  const out = await box.ok(
    ...RUN,
    '--env-file',
    file,
    '-e',
    'A=2',
    'busybox',
    'sh',
    '-c',
    'echo "$A|$Q|$S|$BARE"',
  );
  assert.is(out, '2|"quoted"|a b=c|from caller');
});

test('-w: an existing directory, one that is made', async () => {
  assert.is(await sh('pwd', '-w', '/etc'), '/etc');
  assert.is(await sh('pwd; stat -c %u .', '-w', '/made/for/it'), '/made/for/it\n0');
});

ranges('-u by number, by name, with a group', async () => {
  assert.is(await sh('id -u; id -g; id -G', '-u', '1234'), '1234\n0\n0');
  assert.is(await sh('id -un; id -g; id -G; echo $HOME', '-u', 'app'), 'app\n1000\n1000 44\n/home/app');
  assert.is(await sh('id -u; id -g', '-u', 'app:extra'), '1000\n44');
  assert.is(await sh('id -u; id -g', '--user', '7:8'), '7\n8');
});

ranges('a user other than root has no capabilities', async () => {
  assert.match(await sh('grep CapEff /proc/self/status', '-u', '1000'), /0000000000000000/);
});

test('--hostname, and a default from the id', async () => {
  assert.is(
    await sh('hostname; cat /etc/hostname; grep -c web /etc/hosts', '--hostname', 'web'),
    'web\nweb\n1',
  );
  assert.match(await sh('hostname'), /^[0-9a-f]{12}$/);
});

test('--entrypoint replaces the image’s, and its arguments stay', async () => {
  const box = await busybox();
  const image = busyboxImage({ Entrypoint: ['echo', 'entry'], Cmd: ['cmd'] });
  await box.ok('load', '-i', dockerArchive(image, 'entry:latest', join(box.home.dir, 'entry.tar')));
  assert.is(await box.ok(...RUN, 'entry'), 'entry cmd');
  assert.is(await box.ok(...RUN, 'entry', 'mine'), 'entry mine');
  assert.is(await box.ok(...RUN, '--entrypoint', 'printf', 'entry', '%s-', 'a', 'b'), 'a-b-');
  await box.fails(125, /command/, ...RUN, '--entrypoint', '', 'entry');
});

test('the image’s environment, directory, user and labels count', async () => {
  const box = await busybox();
  const config = {
    Env: ['PATH=/bin', 'FROM=image'],
    WorkingDir: '/var/log',
    Labels: { a: 'image', b: 'image' },
  };
  await box.ok(
    'load',
    '-i',
    dockerArchive(busyboxImage(config), 'config:latest', join(box.home.dir, 'config.tar')),
  );
  assert.is(await box.ok(...RUN, 'config', 'sh', '-c', 'echo $PATH $FROM $(pwd)'), '/bin image /var/log');
  const id = await box.ok('create', '-l', 'b=mine', '--label', 'c', 'config', 'true');
  assert.equal(JSON.parse(await field(id, '{{json .Config.Labels}}')), { a: 'image', b: 'mine', c: '' });
  await box.ok('rm', id);
});

test('--read-only, with --tmpfs to write to', async () => {
  const out = await sh(
    'echo x > /file 2>/dev/null || echo refused; echo x > /scratch/file && echo ok; df -T /scratch | tail -1 | awk "{print \\$2}"',
    '--read-only',
    '--tmpfs',
    '/scratch:size=1m',
  );
  assert.is(out, 'refused\nok\ntmpfs');
});

test('what a container writes stays in it', async () => {
  assert.is(await sh('echo x > /only-here; rm /etc/os-release; ls /only-here'), '/only-here');
  assert.is(await sh('ls /only-here 2>/dev/null; ls /etc/os-release'), '/etc/os-release');
});

test('--name, and a name that is taken', async () => {
  const box = await busybox();
  await box.ok('run', '--network', 'none', '--name', 'taken', 'busybox', 'true');
  await box.fails(125, /taken/, ...RUN, '--name', 'taken', 'busybox', 'true');
  assert.is(
    await box.ok('ps', '-a', '--filter', 'name=taken', '--format', '{{.Names}} {{.Status}}'),
    'taken Exited (0) Less than a second ago',
  );
  await box.ok('rm', 'taken');
  await box.ok(...RUN, '--name', 'taken', 'busybox', 'true');
});

test('--cidfile holds the id, and is not written over', async () => {
  const box = await busybox();
  const file = join(box.home.dir, 'cid');
  const id = await box.ok('run', '-d', '--network', 'none', '--cidfile', file, 'busybox', 'sleep', '1000');
  assert.is(readFileSync(file, 'utf8'), id);
  await box.fails(125, /cid/, ...RUN, '--cidfile', file, 'busybox', 'true');
  await box.ok('rm', '-f', id);
});

test('--init: pid 1 reaps and forwards', async () => {
  assert.is(
    await sh('test $$ -ne 1 && (sleep 0.01 & ) ; sleep 0.2; ps | grep -c "\\[sleep\\]"; true', '--init'),
    '0',
  );
});

test('--rm leaves nothing, without it there is a container', async () => {
  const box = await busybox();
  await box.ok(...RUN, 'busybox', 'true');
  assert.is(await box.ok('ps', '-aq'), '');
  await box('run', '--network', 'none', '--name', 'stays', 'busybox', 'false');
  assert.match(await box.ok('ps', '-a'), /Exited \(1\).*stays/);
  await box.ok('rm', 'stays');
});

test('--explain shows the plan and runs nothing', async () => {
  const box = await busybox();
  const out = await box.ok('run', '--explain', '--network', 'none', 'busybox', 'touch', '/never');
  for (const word of ['pivot', 'proc', 'seccomp', 'exec', 'touch']) assert.match(out, word);
  assert.is(await box.ok('ps', '-aq'), '');
});

test('--add-host and --dns end up in the files', async () => {
  const out = await sh(
    'grep db /etc/hosts; cat /etc/resolv.conf',
    '--add-host',
    'db:10.1.2.3',
    '--dns',
    '10.9.8.7',
  );
  assert.match(out, /10\.1\.2\.3\s+db/);
  assert.match(out, /nameserver 10\.9\.8\.7/);
});

test('--shm-size, --ulimit and --sysctl have an effect', async () => {
  assert.is(await sh('df -k /dev/shm | tail -1 | awk "{print \\$2}"', '--shm-size', '1m'), '1024');
  assert.is(await sh('ulimit -Sn; ulimit -Hn', '--ulimit', 'nofile=100:200'), '100\n200');
  assert.is(await sh('cat /proc/sys/kernel/msgmax', '--sysctl', 'kernel.msgmax=5000'), '5000');
});

test('-a connects one stream only', async () => {
  const box = await busybox();
  const script = 'echo out; echo err >&2';
  const only = async (stream: string) => {
    const { stdout, stderr } = await box(...RUN, '-a', stream, 'busybox', 'sh', '-c', script);
    return [stdout, stderr];
  };
  assert.equal(await only('stdout'), ['out\n', '']);
  assert.equal(await only('stderr'), ['', 'err\n']);
});

test('--label-file, and --label over it', async () => {
  const box = await busybox();
  const file = join(box.home.dir, 'labels');
  writeFileSync(file, '# comment\na=file\nb=file\n');
  const id = await box.ok('create', '--label-file', file, '--label', 'b=flag', 'busybox', 'true');
  assert.equal(JSON.parse(await field(id, '{{json .Config.Labels}}')), { a: 'file', b: 'flag' });
});

test('--stop-signal is what stop sends, --stop-timeout how long it waits', async () => {
  const box = await busybox();
  const script = 'trap "echo got usr1" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done';
  const flags = ['--stop-signal', 'USR1', '--stop-timeout', '1'];
  const id = await box.ok('run', '-d', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script);
  await eventually(10_000, 'ready', async () =>
    (await box.ok('logs', id)).includes('ready') ? true : undefined,
  );
  await box.ok('stop', id);
  assert.match(await box.ok('logs', id), /got usr1/);
  assert.is(await field(id, '{{.State.ExitCode}}'), '137');
});

test('a private directory of the caller is not made readable for others', async () => {
  const box = await busybox();
  const dir = join(box.home.dir, 'private');
  mkdirSync(dir, { mode: 0o700 });
  assert.ok(existsSync(dir));
  assert.match(await sh(`ls ${dir} 2>&1; true`), /No such file/);
});

test.run();
