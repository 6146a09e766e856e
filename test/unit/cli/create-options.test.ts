import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AttachOptions, CreateOptions } from '../../../src/index.ts';
import { cli, ended, type FakeRun, type FakeWorld } from '../../support/fake-cli.ts';

const test = suite('run and create flags');
const dir = mkdtempSync(join(tmpdir(), 'tsbox-cli-'));
test.after(() => rmSync(dir, { recursive: true }));

/** What `tsbox run ARGS` hands to the library. */
async function run(
  args: string[],
  world: FakeWorld = {},
): Promise<{ result: FakeRun; options: CreateOptions | undefined; attach: AttachOptions | undefined }> {
  let seen: [CreateOptions, AttachOptions | undefined] | undefined;
  const api = {
    run: async (options: CreateOptions, attach?: AttachOptions) => {
      seen = [options, attach];
      return ended(0);
    },
    runDetached: async (options: CreateOptions) => {
      seen = [options, undefined];
      return 'the-id';
    },
    create: async (options: CreateOptions) => {
      seen = [options, undefined];
      return 'the-id';
    },
  };
  const argv = args[0] === 'create' ? args : ['run', ...args];
  return { result: await cli(argv, { api, ...world }), options: seen?.[0], attach: seen?.[1] };
}

const PLAIN = {
  interactive: false,
  tty: false,
  init: false,
  autoRemove: false,
  readOnly: false,
  privileged: false,
};

test('an image alone', async () => {
  const { options } = await run(['alpine']);
  assert.equal(options, { image: 'alpine', ...PLAIN });
});

test('a command with options of its own', async () => {
  const { options } = await run(['--rm', 'alpine', 'ls', '-l', '--', '--rm']);
  assert.equal(options, { image: 'alpine', command: ['ls', '-l', '--', '--rm'], ...PLAIN, autoRemove: true });
});

const FLAGS: [string[], Partial<CreateOptions>][] = [
  [['--name', 'web'], { name: 'web' }],
  [['-u', '1000:100', '-w', '/src'], { user: '1000:100', workdir: '/src' }],
  [['-h', 'box', '--domainname=example'], { hostname: 'box', domainname: 'example' }],
  [['-v/a:/b', '-v', 'data:/data:ro'], { volumes: ['/a:/b', 'data:/data:ro'] }],
  [['--tmpfs', '/run:size=1m'], { tmpfs: ['/run:size=1m'] }],
  [['-p80:80', '-p', '127.0.0.1:53:53/udp'], { publish: ['80:80', '127.0.0.1:53:53/udp'] }],
  [['--entrypoint', 'sh'], { entrypoint: ['sh'] }],
  [['--entrypoint', ''], { entrypoint: [] }],
  [['--read-only', '--init', '--privileged'], { readOnly: true, init: true, privileged: true }],
  [['--network', 'none'], { network: 'none' }],
  [['--net=host'], { network: 'host' }],
  [['-l', 'a=b', '-l', 'c', '-l', 'd=e=f'], { labels: { a: 'b', c: '', d: 'e=f' } }],
  [['--cap-add', 'NET_ADMIN', '--cap-drop=ALL'], { capAdd: ['NET_ADMIN'], capDrop: ['ALL'] }],
  [['--security-opt', 'no-new-privileges'], { securityOpt: ['no-new-privileges'] }],
  [['--shm-size', '64m'], { shmSize: 64 << 20 }],
  [['--shm-size', '1.5GiB'], { shmSize: 1.5 * 2 ** 30 }],
  [['--stop-timeout', '-1', '--stop-signal', 'INT'], { stopTimeout: -1, stopSignal: 'INT' }],
  [['--oom-score-adj', '-500'], { oomScoreAdj: -500 }],
  [['--sysctl', 'net.core.somaxconn=1024'], { sysctls: { 'net.core.somaxconn': '1024' } }],
  [['--ulimit', 'nofile=10:20'], { ulimits: ['nofile=10:20'] }],
  [['--add-host', 'a:1.2.3.4', '--dns', '9.9.9.9'], { addHost: ['a:1.2.3.4'], dns: ['9.9.9.9'] }],
  [['--pull', 'never', '--platform', 'linux/arm64'], { pull: 'never', platform: 'linux/arm64' }],
  [['--storage-driver', 'vfs', '--userns', 'keep-id'], { storageDriver: 'vfs', userns: 'keep-id' }],
  [['--root-emulation'], { rootEmulation: true }],
  [['--root-emulation=false'], { rootEmulation: false }],
  [['--cidfile', '/tmp/id'], { cidfile: '/tmp/id' }],
  [
    ['--mount', 'type=tmpfs,dst=/a', '--volumes-from=x:ro'],
    { mounts: ['type=tmpfs,dst=/a'], volumesFrom: ['x:ro'] },
  ],
  [['--device', '/dev/fuse', '--gpus', 'all'], { devices: ['/dev/fuse'], gpus: 'all' }],
  [['--pid', 'host', '--ipc=none', '--uts', 'host'], { pid: 'host', ipc: 'none', uts: 'host' }],
  [['--group-add', '44', '--group-add=audio'], { groupAdd: ['44', 'audio'] }],
  [['--annotation', 'a.b=c=d'], { annotations: { 'a.b': 'c=d' } }],
  [
    ['--dns-search', 'a.b', '--dns-opt', 'rotate', '--dns-option=ndots:2'],
    { dnsSearch: ['a.b'], dnsOptions: ['rotate', 'ndots:2'] },
  ],
  [['--expose', '80', '-P'], { expose: ['80'], publishAll: true }],
  [
    ['--ip', '1.2.3.4', '--ip6=::1', '--mac-address', 'x', '--net-alias', 'db'],
    { ip: '1.2.3.4', ip6: '::1', macAddress: 'x', networkAliases: ['db'] },
  ],
  [
    ['--restart', 'on-failure:3', '--log-driver=local', '--log-opt', 'max-size=1m'],
    { restart: 'on-failure:3', logDriver: 'local', logOptions: ['max-size=1m'] },
  ],
  [
    ['--health-cmd', 'x', '--health-interval=1s', '--health-retries', '2'],
    { health: { cmd: 'x', interval: '1s', retries: 2 } },
  ],
  [['--no-healthcheck'], { health: { none: true } }],
  [['-i'], { interactive: true }],
  [['-t'], { tty: true }],
];

for (const [flags, expected] of FLAGS) {
  test(flags.join(' '), async () => {
    const { options, result } = await run([...flags, 'img']);
    assert.equal(options, { image: 'img', ...PLAIN, ...expected }, result.err);
  });
}

test('-e takes the words as they are, and the environment along', async () => {
  const env = { TERM: 'xterm', SECRET: 's' };
  const { options } = await run(['-e', 'A=1', '-eB=2', '-e', 'TERM', 'img'], { env });
  assert.equal(options?.env, ['A=1', 'B=2', 'TERM']);
  assert.is(options?.callerEnv?.TERM, 'xterm');
});

test('--env-file comes before -e, whatever the order of the flags', async () => {
  const file = join(dir, 'env');
  writeFileSync(file, '\ufeff# comment\n  A=1 \nB="quoted"\r\n\nC\n #D=4\nE=x=y # no comment\n');
  const { options } = await run(['-e', 'Z=1', '--env-file', file, 'img']);
  assert.equal(options?.env, ['A=1 ', 'B="quoted"', 'C', 'E=x=y # no comment', 'Z=1']);
});

test('--label-file', async () => {
  const file = join(dir, 'labels');
  writeFileSync(file, 'a=from-file\nb=2\n');
  const { options } = await run(['--label-file', file, '--label', 'a=flag', 'img']);
  assert.equal(options?.labels, { a: 'flag', b: '2' });
});

test('streams', async () => {
  const streams = (a: AttachOptions | undefined) => [a?.stdin, a?.stdout, a?.stderr];
  assert.equal(streams((await run(['img'])).attach), [false, true, true]);
  assert.equal(streams((await run(['-i', 'img'])).attach), [true, true, true]);
  assert.equal(streams((await run(['-a', 'STDOUT', 'img'])).attach), [false, true, false]);
  const both = await run(['-a', 'stdin', '-astderr', 'img']);
  assert.equal(streams(both.attach), [true, false, true]);
  assert.is(both.options?.interactive, true);
  const proxy = await run(['--sig-proxy=false', '--detach-keys', 'ctrl-x', 'img']);
  assert.equal([proxy.attach?.sigProxy, proxy.attach?.detachKeys], [false, 'ctrl-x']);
});

test('a terminal', async () => {
  const { attach, options } = await run(['-it', 'img'], { terminals: [0, 1, 2] });
  assert.equal([options?.tty, attach?.stdin], [true, true]);
  const { result } = await run(['-it', 'img']);
  assert.is(result.status, 125);
  assert.match(result.err, /^tsbox: -t wants a terminal, and stdin is none\n {2}hint: /);
  assert.is((await run(['-t', 'img'])).result.status, 0);
  assert.is((await run(['-itd', 'img'])).result.status, 0);
});

test('-d and create print the id', async () => {
  assert.is((await run(['-d', 'img'])).result.out, 'the-id\n');
  assert.is((await run(['create', '--name', 'x', 'img', 'ls'])).result.out, 'the-id\n');
});

const BAD: [string[], RegExp][] = [
  [[], /'tsbox run' needs at least 1 argument/],
  [['--name'], /flag --name needs a value/],
  [['--pull', 'sometimes', 'i'], /invalid value 'sometimes' for --pull/],
  [['--shm-size', 'x', 'i'], /invalid value 'x' for --shm-size/],
  [['--shm-size', '-1', 'i'], /invalid value '-1' for --shm-size/],
  [['--stop-timeout', '1s', 'i'], /invalid value '1s' for --stop-timeout/],
  [['-l', '=x', 'i'], /invalid value '=x' for --label/],
  [['-e', '=x', 'i'], /invalid value '=x' for --env/],
  [['--env-file', '/nonexistent/file', 'i'], /cannot read --env-file \/nonexistent\/file: ENOENT/],
  [['-a', 'stdlog', 'i'], /invalid value 'stdlog' for --attach/],
  [['-d', '-a', 'stdout', 'i'], /--attach and --detach contradict each other/],
  [['--storage-driver', 'zfs', 'i'], /invalid value 'zfs' for --storage-driver/],
  [['--storage-opt', 'size=1g', 'i'], /docker's --storage-opt is not in tsbox/],
  [['--runtime=runc', 'i'], /docker's --runtime is not in tsbox \(tsbox is its own runtime\)/],
  [['--nmae=x', 'i'], /unknown flag --nmae\n {2}hint: did you mean --name\?/],
];

for (const [args, message] of BAD) {
  test(`refused: ${args.join(' ')}`, async () => {
    const { result, options } = await run(args);
    assert.is(options, undefined);
    assert.match(result.err, message);
    assert.is(result.err.split('\n').filter(line => line.startsWith('tsbox: ')).length, 1);
    assert.equal([result.status, result.out], [125, '']);
  });
}

test('bad lines of an env file are named', async () => {
  const file = join(dir, 'bad');
  for (const [text, message] of [
    ['A=1\n=2\n', /no name before '=' in .*bad, line 2/],
    ['A B=1\n', /the name 'A B' contains white space in .*line 1/],
  ] as const) {
    writeFileSync(file, text);
    assert.match((await run(['--env-file', file, 'img'])).result.err, message);
  }
  writeFileSync(file, Buffer.from([0x41, 0x3d, 0xff]));
  assert.match((await run(['--env-file', file, 'img'])).result.err, /cannot read --env-file/);
});

test.run();
