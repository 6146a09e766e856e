import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gpuNames } from '../../../src/engine/create-cdi.ts';
import { parseDevice } from '../../../src/engine/create-devices.ts';
import { parseHealth, parseLog, parseRestart } from '../../../src/engine/create-life.ts';
import { parseMountFlag } from '../../../src/engine/create-mount-flag.ts';
import { checkOomScore, checkSysctls, parseNamespaces } from '../../../src/engine/create-namespaces.ts';
import { checkNames, exposedPorts, refuseAddresses } from '../../../src/engine/create-network.ts';
import { parseMounts } from '../../../src/engine/mount-options.ts';
import { parseSecurityOpt } from '../../../src/engine/security-options.ts';
import type { CreateOptions } from '../../../src/engine/types.ts';

/** Flags of create, one by one: what they mean, and what is refused with which words. */
const test = suite('engine/create flags');
const options = (more: Partial<CreateOptions>): CreateOptions => ({ image: 'x', ...more });

/** A good error: USAGE or of the machine, a message that matches, a hint that says what would work. */
function refused(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error: Error & { code?: string; hint?: string }) => {
    assert.match(error.message, message);
    assert.ok(['USAGE', 'HOST'].includes(error.code ?? ''), `${error.code}: ${error.message}`);
    assert.ok(error.hint, `no hint: ${error.message}`);
    assert.not.match(error.message, /\n|\.$/);
    return true;
  });
}

test('--pid, --ipc, --uts', () => {
  assert.is(parseNamespaces(options({ pid: 'private', ipc: '', uts: 'private' })), undefined);
  assert.equal(parseNamespaces(options({ pid: 'host', ipc: 'none', uts: 'host' })), {
    pid: 'host',
    ipc: 'none',
    uts: 'host',
  });
  for (const [flags, message] of [
    [{ uts: 'container:x' }, /--uts "container:x" is not known/],
    [{ pid: 'shareable' }, /--pid "shareable" is not known/],
    [{ ipc: 'huh' }, /--ipc "huh"/],
    [{ uts: 'none' }, /--uts "none"/],
    [{ uts: 'host', hostname: 'x' }, /--uts host and --hostname/],
    [{ uts: 'host', domainname: 'x' }, /--uts host and --domainname/],
  ] as const)
    refused(() => parseNamespaces(options(flags)), message);
});

test('--sysctl: what belongs to a namespace of the container', () => {
  const good = [
    'net.ipv4.ip_forward',
    'net.ipv6.conf.eth0/1.forwarding',
    'kernel.msgmax',
    'kernel.shm_rmid_forced',
    'fs.mqueue.queues_max',
  ];
  for (const key of good) checkSysctls({ [key]: '1' }, undefined, 'new');
  const bad = [
    'foo',
    'kernel.pid_max',
    'kernel.hostname',
    'vm.swappiness',
    'net',
    'net.',
    'net..x',
    '',
    'fs.file-max',
    'kernel.shmmaxx',
  ];
  for (const key of bad)
    refused(() => checkSysctls({ [key]: '1' }, undefined, 'new'), /belongs to the whole machine/);
  refused(() => checkSysctls({ 'net.x': '' }, undefined, 'new'), /has no value/);
  refused(() => checkSysctls({ 'net.x': '1' }, undefined, 'host'), /would change the machine/);
  refused(() => checkSysctls({ 'kernel.msgmax': '1' }, { ipc: 'host' }, 'new'), /would change the machine/);
});

test('--oom-score-adj', () => {
  checkOomScore(undefined);
  checkOomScore(1000);
  refused(() => checkOomScore(1001), /not from/);
  refused(() => checkOomScore(-1001), /not from/);
  refused(() => checkOomScore(-1000), /only root may go below/);
});

test('--restart', () => {
  assert.is(parseRestart(options({ restart: 'no', autoRemove: true })), undefined);
  assert.equal(parseRestart(options({ restart: 'on-failure:3' })), {
    name: 'on-failure',
    maximumRetryCount: 3,
  });
  assert.equal(parseRestart(options({ restart: 'unless-stopped' })), {
    name: 'unless-stopped',
    maximumRetryCount: 0,
  });
  refused(() => parseRestart(options({ restart: 'always', autoRemove: true })), /--restart and --rm/);
  for (const restart of [
    'on-failure:',
    'on-failure:x',
    'on-failure:-1',
    'Always',
    'always:1',
    'unless-stopped:2',
  ])
    refused(() => parseRestart(options({ restart })), /restart policy/);
});

test('--log-driver and --log-opt', () => {
  assert.is(parseLog(options({})), undefined);
  assert.equal(parseLog(options({ logOptions: ['max-size=10k', 'max-file=3'] })), {
    driver: 'json-file',
    maxSize: 10240,
    maxFile: 3,
    options: { 'max-size': '10k', 'max-file': '3' },
  });
  assert.equal(parseLog(options({ logDriver: 'none' })), { driver: 'none', options: {} });
  for (const [flags, message] of [
    [{ logDriver: 'journald' }, /needs a daemon/],
    [{ logOptions: ['tag=x'] }, /is not known/],
    [{ logOptions: ['max-size'] }, /is not known/],
    [{ logOptions: ['max-size=much'] }, /not a size/],
    [{ logOptions: ['max-size=0'] }, /not a size/],
    [{ logOptions: ['max-size=1m', 'max-file=0'] }, /not a number/],
    [{ logOptions: ['max-file=2'] }, /needs a max-size/],
    [{ logDriver: 'none', logOptions: ['max-size=1m'] }, /keeps nothing/],
  ] as const)
    refused(() => parseLog(options(flags)), message);
});

test('--health-*', () => {
  const image = { Test: ['CMD', 'true'], Interval: 9e9, Retries: 5, StartInterval: 2e9 };
  const found = {
    test: ['CMD', 'true'],
    interval: 9000,
    timeout: 30_000,
    startPeriod: 0,
    startInterval: 2000,
    retries: 5,
  };
  assert.equal(parseHealth(image, undefined), found);
  assert.equal(parseHealth(image, { cmd: 'x', interval: '0', timeout: '1m30s', retries: 0 }), {
    ...found,
    test: ['CMD-SHELL', 'x'],
    interval: 30_000,
    timeout: 90_000,
  });
  assert.is(parseHealth({ Test: ['NONE'] }, undefined), undefined);
  assert.is(parseHealth(image, { none: true }), undefined);
  for (const [health, message] of [
    [{ interval: '5s' }, /no health check to change/],
    [{ cmd: 'x', interval: '5' }, /not a time/],
    [{ cmd: 'x', timeout: '1us' }, /not a time/],
    [{ cmd: 'x', retries: -1 }, /below 0/],
    [{ none: true, cmd: 'x' }, /contradict/],
  ] as const)
    refused(() => parseHealth(undefined, health), message);
});

test('--expose, addresses and names', () => {
  assert.equal(exposedPorts(['80/tcp'], ['80', '53/udp', '90-91']), ['80/tcp', '53/udp', '90/tcp', '91/tcp']);
  for (const spec of ['', '0', '65536', '9-8', 'x', '80/icmp', '1-2-3'])
    refused(() => exposedPorts([], [spec]), /--expose/);
  refuseAddresses('slirp4netns', options({}));
  for (const [flags, message] of [
    [{ ip: '1.2.3.4' }, /^--ip 1.2.3.4: the network slirp4netns/],
    [{ ip6: '::1' }, /^--ip6/],
    [{ macAddress: '02:00:00:00:00:01' }, /^--mac-address/],
    [{ networkAliases: ['db'] }, /^--network-alias db: nobody/],
  ] as const)
    refused(() => refuseAddresses('slirp4netns', options(flags)), message);
  checkNames(
    options({
      addHost: ['a:1.2.3.4'],
      dns: ['::1'],
      dnsSearch: ['.', 'a.b'],
      dnsOptions: ['ndots:2', 'rotate'],
    }),
  );
  for (const flags of [
    { dnsSearch: ['a b'] },
    { dnsSearch: [''] },
    { dnsOptions: ['a\nnameserver 1.1.1.1'] },
  ])
    refused(() => checkNames(options(flags)), /--dns-/);
});

test('--mount', () => {
  const bind = {
    type: 'bind',
    source: '/a,b',
    target: '/m',
    readOnly: true,
    options: ['rslave', 'U'],
    anonymous: false,
  };
  assert.equal(
    parseMountFlag('type=bind,"src=/a,b",dst=/m/,ro,bind-propagation=rslave,U,consistency=cached'),
    bind,
  );
  assert.equal(
    parseMountFlag('type=bind,source=/a,target=/m,readonly=false,bind-recursive=disabled').options,
    ['bind'],
  );
  const volume = parseMountFlag('src=data,destination=/m,volume-nocopy=true');
  assert.equal([volume.type, volume.source, volume.options], ['volume', 'data', ['nocopy']]);
  assert.is(parseMountFlag('target=/m').anonymous, true);
  assert.equal(parseMountFlag('type=tmpfs,target=/m,tmpfs-size=1m,tmpfs-mode=1770').options, [
    'size=1048576',
    'mode=1770',
  ]);
  for (const [spec, message] of [
    ['', /no list of key=value/],
    ['type=bind,target=/m', /needs a source/],
    ['type=image,target=/m', /type "image" is not known/],
    ['type=bind,src=/a,target=m', /not an absolute path/],
    ['type=bind,src=/a,target=/', /cannot be \//],
    ['type=bind,src=/a,source=/b,target=/m', /are the same/],
    ['type=bind,src=/a,target=/m,ro,ro', /given twice/],
    ['type=bind,src=/a,target=/m,ro=maybe', /true or false/],
    ['type=bind,src=/a,target=/m,bind-propagation=x', /bind-propagation/],
    ['type=bind,src=/a,target=/m,bind-recursive=writable', /read-only/],
    ['type=bind,src=/a,target=/m,tmpfs-size=1', /no field of a mount of type bind/],
    ['type=volume,target=/m,volume-subpath=x', /could lead out/],
    ['type=volume,target=/m,volume-opt=o', /are root's/],
    ['type=volume,src=../x,target=/m', /nor a volume name/],
    ['type=tmpfs,target=/m,tmpfs-mode=9', /not an octal mode/],
    ['type=tmpfs,target=/m,tmpfs-size=x', /not a size/],
    ['type=bind,"src=/a,target=/m', /no list/],
    ['constructor=1,target=/m', /no field/],
    ['type=constructor,target=/m', /is not known/],
  ] as const)
    refused(() => parseMountFlag(spec), message);
});

test('-v: modes', async () => {
  const parse = async (spec: string) => (await parseMounts(options({ volumes: [spec] })))[0]?.options;
  assert.equal(await parse('/etc:/a:ro,rslave,U,z'), ['rslave', 'U']);
  assert.equal(await parse('v1:/a:nocopy,U'), ['nocopy', 'U']);
  for (const spec of ['/etc:/a:nocopy', 'v1:/a:rslave', 'v1:/a:bind', '/etc:/a:slave,shared', '/etc:/a:u']) {
    const error = await parse(spec).then(
      () => undefined,
      (e: { code: string; hint: string }) => e,
    );
    assert.is(error?.code, 'USAGE', spec);
    assert.ok(error?.hint);
  }
});

test('mounts: the user’s, those of other containers, the image’s volumes', async () => {
  const inherited = await parseMounts(options({ volumes: ['other:/b:ro', 'other:/c'] }));
  const mounts = await parseMounts(options({ volumes: ['mine:/a'], tmpfs: ['/c'] }), {
    inherited,
    image: ['/a/', '/b', '/d', '/', 'relative', '/proc', '/x/../sys/fs', '/dev/'],
  });
  assert.equal(
    mounts.map(m => [m.target, m.type, m.source.length === 64 ? 'anonymous' : m.source]),
    [
      ['/a', 'volume', 'mine'],
      ['/c', 'tmpfs', ''],
      ['/b', 'volume', 'other'],
      ['/d', 'volume', 'anonymous'],
    ],
  );
});

test('--device', () => {
  const context = { groupsKept: false };
  assert.equal(parseDevice('/dev/null', context), [
    { source: '/dev/null', target: '/dev/null', permissions: 'rwm' },
  ]);
  assert.equal(parseDevice('/dev/zero:/dev/x:rw', context), [
    { source: '/dev/zero', target: '/dev/x', permissions: 'rw' },
  ]);
  assert.equal(parseDevice('/dev/zero:rwm', context)[0]?.target, '/dev/zero');
  for (const [spec, message] of [
    ['null', /malformed/],
    ['/dev/null:x', /malformed/],
    ['/dev/null:rr', /malformed/],
    ['/dev/null:/a:rw:/b', /malformed/],
    ['/dev/null:', /malformed/],
    ['/dev/no-such-device', /no such file/],
    ['/etc/passwd', /is no device/],
    ['/dev/null:r', /only root can take that away/],
  ] as const)
    refused(() => parseDevice(spec, context), message);
});

test('--gpus', () => {
  assert.equal(gpuNames(undefined), []);
  assert.equal(gpuNames('all'), ['nvidia.com/gpu=all']);
  assert.equal(gpuNames('count=2'), ['nvidia.com/gpu=0', 'nvidia.com/gpu=1']);
  assert.equal(gpuNames('"device=1,GPU-x"'), ['nvidia.com/gpu=1', 'nvidia.com/gpu=GPU-x']);
  for (const text of ['', '0', 'some', 'device=', 'capabilities=utility'])
    refused(() => gpuNames(text), /--gpus/);
});

test('--security-opt', async () => {
  const parse = (...securityOpt: string[]) => parseSecurityOpt(options({ securityOpt }));
  assert.equal(
    await parse('systempaths=unconfined', 'label:disable', 'apparmor=unconfined', 'no-new-privileges:true'),
    {
      noNewPrivileges: true,
      seccomp: 'default',
      systemPaths: 'unconfined',
    },
  );
  for (const bad of [
    'systempaths=',
    'label=type:x',
    'apparmor=docker-default',
    'huh',
    'no-new-privileges=maybe',
  ])
    await parse(bad).then(
      () => assert.unreachable(bad),
      (error: { code: string }) => assert.is(error.code, 'USAGE'),
    );
});

test.run();
