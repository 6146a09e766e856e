import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** docker's JSON shape: what scripts read of it. */
const test = requires(suite('inspect'), 'userns', 'busybox');

interface Container {
  Id: string;
  Created: string;
  Path: string;
  Args: string[];
  Name: string;
  Image: string;
  State: {
    Status: string;
    Running: boolean;
    Pid: number;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
  };
  Config: {
    Hostname: string;
    User: string;
    Env: string[];
    Cmd: string[];
    Image: string;
    WorkingDir: string;
    Labels: Record<string, string>;
    Tty: boolean;
  };
  HostConfig: { NetworkMode: string; AutoRemove: boolean; ReadonlyRootfs: boolean };
  Mounts: { Type: string; Destination: string; RW: boolean; Name?: string }[];
  NetworkSettings: { Ports: object };
}

test('a container', async () => {
  const box = await busybox();
  const id = await sleeper(
    '--name',
    'seen',
    '-e',
    'A=1',
    '--label',
    'l=v',
    '-w',
    '/etc',
    '--hostname',
    'h',
    '-v',
    'vol:/data:ro',
    '--read-only',
  );
  const [c] = JSON.parse(await box.ok('inspect', 'seen')) as Container[];
  assert.ok(c);
  assert.equal([c.Id, c.Name, c.Path, c.Args], [id, '/seen', 'sleep', ['1000']]);
  assert.equal([c.State.Status, c.State.Running, c.State.ExitCode], ['running', true, 0]);
  assert.ok(c.State.Pid > 0 && Date.parse(c.State.StartedAt) > 0);
  assert.match(c.Image, /^sha256:[0-9a-f]{64}$/);
  assert.equal(
    [c.Config.Hostname, c.Config.WorkingDir, c.Config.Image, c.Config.Tty],
    ['h', '/etc', 'busybox', false],
  );
  assert.ok(c.Config.Env.includes('A=1'));
  assert.equal([c.Config.Cmd, c.Config.Labels], [['sleep', '1000'], { l: 'v' }]);
  assert.equal(
    [c.HostConfig.NetworkMode, c.HostConfig.AutoRemove, c.HostConfig.ReadonlyRootfs],
    ['none', false, true],
  );
  const mount = c.Mounts.find(m => m.Destination === '/data');
  assert.equal([mount?.Type, mount?.RW, mount?.Name], ['volume', false, 'vol']);
  await box.ok('rm', '-f', 'seen');
  await box.ok('volume', 'rm', 'vol');
});

test('an image', async () => {
  const box = await busybox();
  const [image] = JSON.parse(await box.ok('inspect', '--type', 'image', 'busybox')) as {
    Id: string;
    RepoTags: string[];
    Architecture: string;
    Os: string;
    Config: { Cmd: string[] };
    RootFS: { Layers: string[] };
  }[];
  assert.ok(image);
  assert.match(image.Id, /^sha256:/);
  assert.equal([image.RepoTags, image.Os, image.Config.Cmd], [['busybox:latest'], 'linux', ['sh']]);
  assert.is(image.RootFS.Layers.length, 1);
});

test('--format, several names, an unknown one', async () => {
  const box = await busybox();
  const [a, b] = [
    await box.ok('create', '--name', 'aa', 'busybox', 'true'),
    await box.ok('create', '--name', 'bb', 'busybox', 'true'),
  ];
  assert.is(
    await box.ok('inspect', '-f', '{{.Name}} {{.State.Status}}', 'aa', 'bb'),
    '/aa created\n/bb created',
  );
  assert.is(await box.ok('inspect', '-f', '{{json .Config.Cmd}}', a.slice(0, 12)), '["true"]');
  assert.is(
    await box
      .ok(
        'inspect',
        '-f',
        '{{range .Config.Env}}{{println .}}{{end}}{{if .State.Running}}up{{else}}down{{end}}',
        b,
      )
      .then(t => t.split('\n').at(-1)),
    'down',
  );
  const done = await box('inspect', 'nobody');
  assert.equal([done.code !== 0, done.stdout.trim()], [true, '[]'], done.stderr);
  await box.ok('rm', 'aa', 'bb');
});

test.run();
