import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ps } from '../../../src/engine/ps.ts';
import type { Filters } from '../../../src/engine/types.ts';
import type { Paths } from '../../../src/host/paths.ts';
import { addContainer, engineOf, rejects, tempStore, volumeMount } from '../../support/container-store.ts';

const list = suite('engine/ps');

/** web runs, job has ended with 3, box was never started; made in that order. */
async function three(): Promise<Paths> {
  const paths = tempStore();
  await addContainer(
    paths,
    {
      id: `a1${'0'.repeat(62)}`,
      name: 'web',
      created: '2026-01-01T00:00:00.000Z',
      labels: { tier: 'front', env: 'prod' },
      network: {
        driver: 'slirp4netns',
        options: {},
        ports: [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
      },
      mounts: [volumeMount('data', { target: '/srv' })],
    },
    {},
  );
  await addContainer(
    paths,
    {
      id: `b2${'0'.repeat(62)}`,
      name: 'job',
      created: '2026-01-02T00:00:00.000Z',
      labels: { tier: 'back', env: 'prod' },
      image: { reference: 'debian', id: `sha256:${'d'.repeat(64)}`, layers: [] },
      exposed: ['53/udp'],
    },
    { status: 'exited', exit_code: 3 },
  );
  await addContainer(paths, { id: `c3${'0'.repeat(62)}`, name: 'box', created: '2026-01-03T00:00:00.000Z' });
  return paths;
}

async function namesWith(paths: Paths, filters: Filters, all = true): Promise<string> {
  return (await ps(engineOf(paths), { all, filters })).map(c => c.name).join(' ');
}

list('running ones, or all, newest first', async () => {
  const paths = await three();
  assert.is(await namesWith(paths, {}, false), 'web');
  assert.is(await namesWith(paths, {}), 'box job web');
});

list('a summary holds what the table shows', async () => {
  const paths = await three();
  const [web] = await ps(engineOf(paths));
  assert.is(web?.command, "sh -c 'echo hi'");
  assert.is(web?.status, 'running');
  assert.is(web?.pid, process.pid);
  assert.equal(web?.mounts, ['data']);
  assert.equal(web?.networks, ['slirp4netns']);
  assert.is(web?.ports[0]?.hostPort, 8080);
});

const TABLE: readonly [Filters, string][] = [
  [{ name: ['web'] }, 'web'],
  [{ name: ['o'] }, 'box job'],
  [{ name: ['^/web$'] }, 'web'],
  [{ name: ['^b', 'eb$'] }, 'box web'],
  [{ name: ['('] }, ''],
  [{ id: ['b2'] }, 'job'],
  [{ id: ['^a', '^c'] }, 'box web'],
  [{ label: ['tier'] }, 'job web'],
  [{ label: ['tier=front'] }, 'web'],
  [{ label: ['env=prod', 'tier=back'] }, 'job'],
  [{ label: ['tier=front', 'tier=back'] }, ''],
  [{ label: ['constructor'] }, ''],
  [{ status: ['running'] }, 'web'],
  [{ status: ['created', 'exited'] }, 'box job'],
  [{ status: ['paused'] }, ''],
  [{ exited: ['3'] }, 'job'],
  [{ exited: ['0'] }, ''],
  [{ ancestor: ['debian'] }, 'job'],
  [{ ancestor: ['nothing'] }, ''],
  [{ before: ['job'] }, 'web'],
  [{ since: ['job'] }, 'box'],
  [{ since: ['a1'] }, 'box job'],
  [{ volume: ['data'] }, 'web'],
  [{ volume: ['/srv'] }, 'web'],
  [{ network: ['slirp4netns'] }, 'web'],
  [{ network: ['none'] }, 'box job'],
  [{ publish: ['80'] }, 'web'],
  [{ publish: ['8000-9000/tcp'] }, 'web'],
  [{ publish: ['80/udp'] }, ''],
  [{ expose: ['53/udp'] }, 'job'],
  [{ expose: ['80'] }, 'web'],
  [{ health: ['none'] }, 'box job web'],
  [{ health: ['healthy'] }, ''],
  [{ name: ['o'], status: ['exited'] }, 'job'],
];

list("docker's filters", async () => {
  const paths = await three();
  for (const [filters, expected] of TABLE) {
    assert.is(await namesWith(paths, filters), expected, JSON.stringify(filters));
  }
});

list('status implies all, other filters do not', async () => {
  const paths = await three();
  assert.is(await namesWith(paths, { status: ['exited'] }, false), 'job');
  assert.is(await namesWith(paths, { exited: ['3'] }, false), '');
});

list('filters that are wrong', async () => {
  const paths = await three();
  const bad: [Filters, string, RegExp, RegExp][] = [
    [{ statsu: ['x'] }, 'USAGE', /invalid filter 'statsu'/, /did you mean status\?/],
    [{ toString: ['x'] }, 'USAGE', /invalid filter 'toString'/, /filters are: id/],
    [{ status: ['up'] }, 'USAGE', /'status=up'/, /running/],
    [{ health: ['fine'] }, 'USAGE', /'health=fine'/, /healthy/],
    [{ exited: ['x'] }, 'USAGE', /'exited=x'/, /a number/],
    [{ exited: [''] }, 'USAGE', /'exited='/, /a number/],
    [{ before: ['nobody'] }, 'NOT_FOUND', /nobody/, /./],
    ...['0', '70000', '9-8', 'x', '80/sctpp', ''].map((port): [Filters, string, RegExp, RegExp] => [
      { publish: [port] },
      'USAGE',
      /publish=/,
      /PORT/,
    ]),
  ];
  for (const [filters, code, message, hint] of bad) {
    await rejects(ps(engineOf(paths), { filters }), code, message, hint);
  }
});

list('no store yet: nobody', async () => {
  const paths = { ...tempStore(), containers: '/nonexistent/containers' };
  assert.equal(await ps(engineOf(paths), { all: true }), []);
});

list.run();
