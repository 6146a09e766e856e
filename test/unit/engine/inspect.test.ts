import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inspectContainer } from '../../../src/engine/inspect.ts';
import { configOf } from '../../../src/engine/inspect-config.ts';
import { hostConfigOf } from '../../../src/engine/inspect-host-config.ts';
import { kernelView, parseMapLine, parseMountinfo } from '../../../src/engine/inspect-kernel.ts';
import { portBindings } from '../../../src/engine/inspect-network.ts';
import { containerState } from '../../../src/store/containers.ts';
import {
  addContainer,
  engineOf,
  recordOf,
  rejects,
  tempStore,
  volumeMount,
} from '../../support/container-store.ts';

const inspect = suite('engine/inspect');
const state = (object: Record<string, unknown>) => object.State as Record<string, unknown>;

inspect('a container that runs', async () => {
  const paths = tempStore();
  const record = await addContainer(
    paths,
    {
      name: 'web',
      platform: 'linux/arm64',
      mounts: [volumeMount('data'), volumeMount('/srv', { type: 'bind', readOnly: true })],
    },
    {},
  );
  const object = await inspectContainer(engineOf(paths), 'web');
  assert.is(object.Id, record.id);
  assert.is(object.Name, '/web');
  assert.is(object.Path, 'sh');
  assert.equal(object.Args, ['-c', 'echo hi']);
  assert.is(object.Platform, 'linux');
  assert.is(object.LogPath, join(paths.containers, record.id, 'log'));
  assert.equal(state(object), {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: process.pid,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-01-02T03:04:06.123456789Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  });
  const mounts = object.Mounts as Record<string, unknown>[];
  assert.is(mounts[0]?.Source, join(paths.volumes, 'data/_data'));
  assert.equal(
    [mounts[0]?.Name, mounts[0]?.RW, mounts[1]?.Name, mounts[1]?.RW],
    ['data', true, undefined, false],
  );
  JSON.stringify(object);
});

inspect('one that was never started, and one that is gone', async () => {
  const paths = tempStore();
  await addContainer(paths, { name: 'web' });
  const object = await inspectContainer(engineOf(paths), 'web');
  assert.is(state(object).Status, 'created');
  assert.is(state(object).StartedAt, '0001-01-01T00:00:00Z');
  const tsbox = object.Tsbox as Record<string, unknown>;
  assert.equal([tsbox.Namespaces, tsbox.UidMap, tsbox.KernelMounts], [{}, [], []]);
  await rejects(inspectContainer(engineOf(paths), 'wep'), 'NOT_FOUND', /no such container/, /web/);
});

inspect('what the kernel says, seen on this very process', async () => {
  const paths = tempStore();
  const record = await addContainer(paths, {}, {});
  const view = kernelView(await containerState(paths, record));
  const namespaces = view.Namespaces as Record<string, number>;
  for (const name of ['mnt', 'net', 'pid', 'user', 'uts', 'ipc']) {
    assert.ok(Number.isSafeInteger(namespaces[name]) && (namespaces[name] ?? 0) > 0, name);
  }
  assert.is('pid_for_children' in namespaces, false);
  assert.ok((view.UidMap as unknown[]).length > 0);
  assert.ok((view.KernelMounts as { Target: string }[]).some(m => m.Target === '/'));
});

inspect('map lines and mountinfo', () => {
  assert.equal(parseMapLine('         1     100000      65536'), {
    Inside: 1,
    Outside: 100000,
    Count: 65536,
  });
  const line = '36 35 98:0 /mnt1 /a\\040b\\134c rw,noatime master:1 - ext3 /dev/root rw,errors=continue';
  assert.equal(parseMountinfo(line), {
    Target: '/a b\\c',
    Type: 'ext3',
    Source: '/dev/root',
    Root: '/mnt1',
    Options: 'rw,noatime',
    Data: 'rw,errors=continue',
  });
  assert.is(parseMountinfo('').Target, '');
});

inspect('ports: one container port published twice', () => {
  const port = { hostIp: '0.0.0.0', containerPort: 80, protocol: 'tcp' } as const;
  assert.equal(
    portBindings([
      { ...port, hostPort: 1 },
      { ...port, hostPort: 2, hostIp: '127.0.0.1' },
    ]),
    {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '1' },
        { HostIp: '127.0.0.1', HostPort: '2' },
      ],
    },
  );
});

inspect('Config and HostConfig: empty lists are null, what was asked is there', () => {
  const record = recordOf({
    exposed: ['53/udp'],
    mounts: [
      volumeMount('data', { readOnly: true }),
      volumeMount('f'.repeat(64), { anonymous: true, target: '/anon' }),
      volumeMount('', { type: 'tmpfs', target: '/t', options: ['size=1m'] }),
    ],
    ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    noNewPrivileges: true,
    seccomp: '{"defaultAction":"SCMP_ACT_ALLOW"}',
  });
  const config = configOf(record);
  assert.equal(config.ExposedPorts, { '53/udp': {} });
  assert.equal([config.Entrypoint, config.Volumes], [null, { '/anon': {} }]);
  const host = hostConfigOf(record);
  assert.equal(host.Binds, ['data:/data:ro']);
  assert.equal(host.Tmpfs, { '/t': 'size=1m' });
  assert.equal(host.Ulimits, [{ Name: 'nofile', Soft: 1, Hard: 2 }]);
  assert.equal(host.SecurityOpt, ['no-new-privileges', 'seccomp=custom']);
  assert.equal([host.CapAdd, host.ExtraHosts], [null, null]);
});

inspect.run();
