import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageSummary } from '../../../src/index.ts';
import { cli } from '../../support/fake-cli.ts';
import { containers, ID, NOW, WEB } from '../../support/fake-containers.ts';

const test = suite('lists');

test('ps', async () => {
  const { out } = await cli(['ps', '-a'], { api: { containers }, now: NOW });
  assert.is(
    out,
    'CONTAINER ID   IMAGE     COMMAND                  CREATED             STATUS                  PORTS                  NAMES\n' +
      'c0ffee000000   nginx     "nginx -g \'daemon of…"   About an hour ago   Up 2 minutes            0.0.0.0:8080->80/tcp   web\n' +
      'dddddddddddd   nginx     "nginx -g \'daemon of…"   About an hour ago   Exited (3) 2 days ago                          old\n',
  );
});

const PS: [string[], string][] = [
  [['-q'], 'c0ffee000000\ndddddddddddd\n'],
  [['-q', '--no-trunc'], `${ID}\n${'d'.repeat(64)}\n`],
  [['-l', '-q'], 'c0ffee000000\n'],
  [['-n', '1', '-q'], 'c0ffee000000\n'],
  [['-qn5'], 'c0ffee000000\ndddddddddddd\n'],
  [['--format', '{{.Names}} {{.State}} {{.Label "team"}}'], 'web running x\nold exited x\n'],
  [
    ['--format', 'table {{.Names}}\\t{{upper .State}}'],
    'NAMES     STATE\nweb       RUNNING\nold       EXITED\n',
  ],
  [['--format', '{{.Mounts}} {{.LocalVolumes}}'], 'data,/home/user/a/l… 1\ndata,/home/user/a/l… 1\n'],
  [['--format', '{{json .Names}}'], '"web"\n"old"\n'],
];

for (const [flags, expected] of PS) {
  test(`ps ${flags.join(' ')}`, async () => {
    const { out, err } = await cli(['ps', ...flags], { api: { containers }, now: NOW });
    assert.is(out, expected, err);
  });
}

test('ps --format json has docker’s fields, sorted', async () => {
  const { out } = await cli(['ps', '--format', 'json'], { api: { containers }, now: NOW });
  const [first] = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.equal(Object.keys(first), Object.keys(first).sort());
  assert.equal([first.ID, first.Names, first.Ports], ['c0ffee000000', 'web', '0.0.0.0:8080->80/tcp']);
  assert.is((await cli(['ps', '--format', '{{json .}}'], { api: { containers }, now: NOW })).out, out);
});

test('what ps asks for', async () => {
  const seen: unknown[] = [];
  const api = {
    containers: async (options?: object) => {
      seen.push(options);
      return [];
    },
  };
  await cli(['ps'], { api });
  await cli(['ps', '-f', 'name=a', '-f', 'name=b', '--filter', 'label=x=y'], { api });
  await cli(['ps', '-f', 'status=exited'], { api });
  await cli(['ps', '-l'], { api });
  assert.equal(seen, [
    { all: false, filters: {} },
    { all: false, filters: { name: ['a', 'b'], label: ['x=y'] } },
    { all: true, filters: { status: ['exited'] } },
    { all: true, filters: {} },
  ]);
  assert.match((await cli(['ps', '-f', 'name'], { api })).err, /invalid filter 'name': it must be key=value/);
  assert.match((await cli(['ps', '-n', 'x'], { api })).err, /invalid value 'x' for --last/);
  assert.match((await cli(['ps', '--format', '{{.Nmae}}'], { api: { containers } })).err, /no field Nmae/);
});

test('labels and names of strangers cannot reach the terminal', async () => {
  const evil = { ...WEB, image: 'x\x1b[2J', labels: { a: '\x1b]0;x\x07' } };
  const api = { containers: async () => [evil] };
  for (const flags of [
    [],
    ['--format', '{{.Image}}{{.Labels}}'],
    ['--format', 'json'],
    ['--format', 'table {{.Image}}'],
  ]) {
    assert.not.match((await cli(['ps', ...flags], { api })).out, /[^\P{Cc}\n]/u, flags.join(' '));
  }
});

test('images', async () => {
  const image: ImageSummary = {
    id: `sha256:${'e'.repeat(64)}`,
    names: ['docker.io/library/alpine:3.20', 'docker.io/team/app:1', 'localhost:5000/x/y:z'],
    digests: [`docker.io/library/alpine@sha256:${'1'.repeat(64)}`],
    created: '2024-04-30T12:00:00Z',
    size: 7_730_000,
    labels: {},
  };
  const api = {
    images: async () => [image, { ...image, id: `sha256:${'f'.repeat(64)}`, names: [], digests: [] }],
  };
  const { out } = await cli(['images'], { api, now: NOW });
  assert.is(
    out,
    'REPOSITORY           TAG       IMAGE ID       CREATED        SIZE\n' +
      'alpine               3.20      eeeeeeeeeeee   24 hours ago   7.73MB\n' +
      'team/app             1         eeeeeeeeeeee   24 hours ago   7.73MB\n' +
      'localhost:5000/x/y   z         eeeeeeeeeeee   24 hours ago   7.73MB\n' +
      '<none>               <none>    ffffffffffff   24 hours ago   7.73MB\n',
  );
  assert.is((await cli(['images', '-q'], { api })).out, 'eeeeeeeeeeee\nffffffffffff\n');
  const digests = (await cli(['images', '--digests', '--format', '{{.Digest}}'], { api })).out.split('\n');
  assert.equal([digests[0], digests[3]], [`sha256:${'1'.repeat(64)}`, '<none>']);
});

test.run();
