import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseBuildOutput, parseSecret, parseSsh } from '../../../src/cli/build-values.ts';
import { type BuildEvent, type BuildOptions, type BuildResult, TsboxError } from '../../../src/index.ts';
import { cli, type FakeWorld } from '../../support/fake-cli.ts';

const test = suite('build');
const RESULT: BuildResult = {
  id: 'sha256:abc',
  digest: 'sha256:def',
  names: ['docker.io/library/a:1'],
  warnings: [],
};

interface Built {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly options: BuildOptions | undefined;
}

/** `tsbox build …` against a library that emits these events. */
async function build(
  argv: readonly string[],
  events: readonly BuildEvent[] = [],
  world: FakeWorld & { error?: Error } = {},
): Promise<Built> {
  let options: BuildOptions | undefined;
  const api = {
    build: async (asked: BuildOptions = {}) => {
      options = asked;
      for (const event of events) asked.onEvent?.(event);
      if (world.error) throw world.error;
      return RESULT;
    },
  };
  const run = await cli(['build', ...argv], { api, ...world });
  return { ...run, options };
}

async function asked(...argv: string[]): Promise<Record<string, unknown>> {
  const { options, err, status } = await build([...argv, 'dir']);
  assert.is(status, 0, err);
  const { onEvent: _, callerEnv: _env, ...rest } = options ?? {};
  return JSON.parse(JSON.stringify(rest)) as Record<string, unknown>;
}

const PLAIN = { context: 'dir', buildArgs: {}, buildContexts: {}, check: false };
const FLAGS: readonly (readonly [argv: string[], wanted: object])[] = [
  [[], {}],
  [['-t', 'a', '-t', 'b:1'], { tags: ['a', 'b:1'] }],
  [['-f', 'x/Dockerfile', '--target=t'], { dockerfile: 'x/Dockerfile', target: 't' }],
  [['--build-arg', 'A=1=2', '--build-arg=B='], { buildArgs: { A: '1=2', B: '' } }],
  [['--build-context', 'x=../y'], { buildContexts: { x: '../y' } }],
  [['--label', 'a=b', '--annotation', 'manifest:c=d'], { labels: { a: 'b' }, annotations: { c: 'd' } }],
  [['--no-cache', '--pull', '--squash'], { noCache: true, pull: true, squash: true }],
  [['--no-cache-filter', 'a,b'], { noCacheFilter: ['a', 'b'] }],
  [['--cache-from', 'i', '--cache-from', 'type=registry,ref=r/i:2'], { cacheFrom: ['i', 'r/i:2'] }],
  [
    ['--secret', 'id=a,src=f', '--ssh', 'default'],
    { secrets: [{ id: 'a', file: 'f' }], ssh: [{ id: 'default' }] },
  ],
  [['--network', 'none', '--add-host', 'h:1.2.3.4'], { network: 'none', addHost: ['h:1.2.3.4'] }],
  [
    ['--shm-size', '64m', '--ulimit', 'nofile=1:2', '-m', '1g', '--memory-swap', '-1'],
    { shmSize: 64 << 20, ulimits: ['nofile=1:2'], memory: 2 ** 30, memorySwap: -1 },
  ],
  [
    ['-c', '512', '--cpu-quota', '5', '--cpu-period=9', '--cpuset-cpus', '0-1'],
    { cpuShares: 512, cpuQuota: 5, cpuPeriod: 9, cpusetCpus: '0-1' },
  ],
  [
    ['-o', 'out', '--platform', 'linux/arm64'],
    { outputs: [{ type: 'local', dest: 'out' }], platform: 'linux/arm64' },
  ],
  [['--allow', 'network.host', '--security-opt', 'x=y'], { allow: ['network.host'], securityOpt: ['x=y'] }],
  [['--rm', '--force-rm', '--compress', '--load'], {}],
];

for (const [argv, wanted] of FLAGS)
  test(`flags: ${argv.join(' ')}`, async () => assert.equal(await asked(...argv), { ...PLAIN, ...wanted }));

for (const argv of [
  ['--secret', 'src=x'],
  ['--secret', 'id=a,mode=1'],
  ['--build-arg', '=x'],
  ['--build-context', 'x'],
  ['--progress', 'loud'],
  ['--output', 'type=zip,dest=x'],
  ['--output', 'type=local'],
  ['--shm-size', 'big'],
  ['--cache-from', 'type=gha'],
])
  test(`wrong: ${argv.join(' ')}`, async () => {
    const { status, err } = await build([...argv, 'dir']);
    assert.is(status, 125, err);
  });

test('one operand, no more and no less', async () => {
  assert.is((await build([])).status, 125);
  assert.is((await build(['a', 'b'])).status, 125);
});

test('stdin: a context, or a Dockerfile', async () => {
  const context = await build(['-'], [], { stdin: 'FROM x' });
  assert.ok(context.options?.context instanceof Readable);
  const dockerfile = await build(['-f', '-', 'dir'], [], { stdin: 'FROM x\n' });
  assert.is(dockerfile.options?.dockerfileText, 'FROM x\n');
  assert.is(dockerfile.options?.context, 'dir');
  assert.match((await build(['-f', '-', '-'])).err, /both/);
  assert.match((await build(['-'], [], { terminals: [0] })).err, /terminal/);
});

test('secrets by name: a variable, else a file', () => {
  assert.equal(parseSecret('id=A', { A: '1' }), { id: 'A', env: 'A' });
  assert.equal(parseSecret('id=A', {}), { id: 'A', file: 'A' });
  assert.equal(parseSecret('id=A,type=env,src=B', {}), { id: 'A', env: 'B' });
  assert.equal(parseSsh('a=/s=x'), { id: 'a', socket: '/s=x' });
  assert.equal(parseBuildOutput('-', () => process.stdout).type, 'tar');
});

test('-q prints the id alone', async () => {
  const { out, err } = await build(['-q', 'dir'], EVENTS);
  assert.equal([out, err], ['sha256:abc\n', '']);
});

test('--iidfile and --metadata-file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-build-'));
  await build(['--iidfile', join(dir, 'id'), '--metadata-file', join(dir, 'meta'), 'dir']);
  assert.is(readFileSync(join(dir, 'id'), 'utf8'), 'sha256:abc');
  assert.is(JSON.parse(readFileSync(join(dir, 'meta'), 'utf8'))['containerimage.digest'], 'sha256:def');
  rmSync(dir, { recursive: true });
});

const place = (line: number) => ({ line, column: 1, offset: 0 });
const EVENTS: readonly BuildEvent[] = [
  { type: 'plan', file: 'Dockerfile', text: 'FROM x\nRUN a \\\n b\nCOPY c d\n', steps: 3 },
  { type: 'step-start', step: 1, time: 1000, title: '[1/3] FROM x' },
  { type: 'step-done', step: 1, time: 1100, cached: true },
  {
    type: 'step-start',
    step: 2,
    time: 1100,
    title: '[2/3] RUN a b',
    range: { start: place(2), end: place(3) },
  },
  { type: 'step-log', step: 2, time: 1200, stream: 'stdout', data: Buffer.from('one\ntw') },
  { type: 'step-start', step: 3, time: 1300, title: '[3/3] COPY c d' },
  {
    type: 'step-log',
    step: 2,
    time: 1300,
    stream: 'stdout',
    data: Buffer.from('o\n\x1b[31mred\x1b[0m\n10%\r20%\r'),
  },
  { type: 'step-done', step: 3, time: 1400, cached: false },
  { type: 'step-log', step: 2, time: 1400, stream: 'stderr', data: Buffer.from('last \x07') },
];
const DONE: BuildEvent = { type: 'step-done', step: 2, time: 3100, cached: false };
const FAILED: BuildEvent = {
  type: 'step-failed',
  step: 2,
  time: 3100,
  message: 'exit status 3',
  exitCode: 3,
};

test('build prune by all its names; a directory of that name is ./prune', async () => {
  const pruned: unknown[] = [];
  const api = {
    pruneBuilds: async (options: object = {}) => {
      pruned.push(options);
      return { untagged: [], deleted: ['sha256:a'], reclaimed: 5 };
    },
  };
  for (const words of ['build prune', 'builder prune', 'buildx prune']) {
    const done = await cli([...words.split(' '), '-af', '--filter', 'until=1h'], { api });
    assert.equal([done.status, done.err], [0, ''], words);
    assert.match(done.out, /sha256:a\n[\s\S]*5B/);
  }
  const once = { all: true, filters: { until: ['1h'] } };
  assert.equal(pruned, [once, once, once]);
  assert.is((await build(['./prune'])).options?.context, './prune');
});

test('plain progress', async () => {
  const { err, out } = await build(['dir'], [...EVENTS, DONE]);
  assert.is(out, '');
  assert.equal(err.split('\n'), [
    '#1 [1/3] FROM x',
    '#1 CACHED',
    '',
    '#2 [2/3] RUN a b',
    '#2 0.100 one',
    '',
    '#3 [3/3] COPY c d',
    '',
    '#2 [2/3] RUN a b',
    '#2 0.200 two',
    '#2 0.200 red',
    '',
    '#3 [3/3] COPY c d',
    '#3 DONE 0.1s',
    '',
    '#2 [2/3] RUN a b',
    '#2 2.000 20%',
    '#2 2.000 last \\x07',
    '#2 DONE 2.0s',
    '',
  ]);
});

test('a failure shows the whole log and its lines of the Dockerfile', async () => {
  const error = new TsboxError('BUILD', 'RUN a b ended with status 3', { exitCode: 1 });
  for (const flags of [['--progress', 'plain'], ['-q']]) {
    const { err, status, out } = await build([...flags, 'dir'], [...EVENTS, FAILED], { error });
    assert.is(status, 1);
    assert.is(out, '');
    const tail = err.slice(err.indexOf('------'));
    assert.equal(tail.split('\n').slice(0, 14), [
      '------',
      ' > [2/3] RUN a b:',
      '0.100 one',
      '0.200 two',
      '0.200 red',
      '2.000 20%',
      '2.000 last \\x07',
      '------',
      'Dockerfile:2',
      '--------------------',
      '   1 |     FROM x',
      '   2 | >>> RUN a \\',
      '   3 | >>>  b',
      '   4 |     COPY c d',
    ]);
    assert.is(err.split('> [2/3]').length, 2, 'told once');
  }
});

test('on a terminal: a line for each step, at the end all of them', async () => {
  const { err } = await build(['dir'], [...EVENTS, DONE], {
    terminals: [2],
    size: { columns: 40, rows: 24 },
    now: 3100,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told
  const lines = err.split('\n').map(line => line.replace(/\x1b\[[0-9]*[A-Z]|\r/g, '').trimEnd());
  assert.equal(lines.slice(-5), [
    '[+] Building 2.1s (3/3) FINISHED',
    ' => CACHED [1/3] FROM x            0.1s',
    ' => [2/3] RUN a b                  2.0s',
    ' => [3/3] COPY c d                 0.1s',
    '',
  ]);
});

test('on a terminal a failure is shown below', async () => {
  const error = new TsboxError('BUILD', 'no', { exitCode: 1 });
  const { err } = await build(['--progress', 'tty', 'dir'], [...EVENTS, FAILED], { error, now: 3100 });
  assert.match(err, /ERROR \[2\/3\] RUN a b/);
  assert.match(err, /------\n > \[2\/3\] RUN a b:\n0\.100 one\n/);
});

test('events as JSON', async () => {
  const { err } = await build(['--progress', 'rawjson', 'dir'], EVENTS);
  const events = err
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string; data?: string });
  assert.is(events.length, EVENTS.length);
  assert.is(events[4]?.data, 'one\ntw');
});

test('--check prints warnings and its status', async () => {
  const api = {
    build: async () => ({
      names: [],
      warnings: [{ message: 'old', file: 'D', range: { start: place(3), end: place(3) } }],
    }),
  };
  const { out, status } = await cli(['build', '--check', '.'], { api });
  assert.is(status, 1);
  assert.match(out, /WARNING: old \(D:3\)/);
  assert.is((await build(['--call', 'check', '.'])).status, 0);
});

test('docker’s other names', async () => {
  for (const noun of ['image', 'builder', 'buildx'])
    assert.is(
      (await cli([noun, 'build', '-q', '.'], { api: { build: async () => RESULT } })).out,
      'sha256:abc\n',
    );
});

test.run();
