import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

const test = requires(suite('ps'), 'userns', 'busybox');
let ids: string[] = [];

test.before(async () => {
  const box = await busybox();
  ids = [
    await sleeper('--name', 'first', '--label', 'role=db', '--label', 'keep'),
    await sleeper('--name', 'second', '--label', 'role=web'),
    await box.ok('create', '--name', 'third', 'busybox', 'echo', 'a b'),
  ];
  await box('run', '--network', 'none', '--name', 'fourth', 'busybox', 'sh', '-c', 'exit 3');
});
test.after(async () => {
  await (await busybox())('rm', '-f', 'first', 'second', 'third', 'fourth');
});

const names = async (...args: string[]): Promise<string[]> =>
  (await (await busybox()).ok('ps', ...args, '--format', '{{.Names}}')).split('\n').filter(Boolean);

test('running ones, newest first; -a all', async () => {
  assert.equal(await names(), ['second', 'first']);
  assert.equal(await names('-a'), ['fourth', 'third', 'second', 'first']);
});

test('docker’s columns', async () => {
  const out = await (await busybox()).ok('ps', '-a');
  const [head = '', ...rows] = out.split('\n');
  assert.match(head, /^CONTAINER ID\s+IMAGE\s+COMMAND\s+CREATED\s+STATUS\s+PORTS\s+NAMES$/);
  assert.is(rows.length, 4);
  const first = rows.find(row => row.includes('first')) ?? '';
  assert.match(
    first,
    new RegExp(`^${ids[0]?.slice(0, 12)}\\s+busybox\\s+"sleep 1000"\\s+.* ago\\s+Up .*\\s+first$`),
  );
  assert.match(rows.find(row => row.includes('third')) ?? '', /Created/);
  assert.match(rows.find(row => row.includes('fourth')) ?? '', /Exited \(3\)/);
});

test('-q, --no-trunc, -l, -n', async () => {
  const box = await busybox();
  assert.equal((await box.ok('ps', '-q')).split('\n'), [ids[1]?.slice(0, 12), ids[0]?.slice(0, 12)]);
  assert.equal((await box.ok('ps', '-q', '--no-trunc')).split('\n'), [ids[1], ids[0]]);
  assert.equal(await names('-l'), ['fourth']);
  assert.equal(await names('-n', '2'), ['fourth', 'third']);
});

test('filters: alternatives of one key, all keys together', async () => {
  assert.equal(await names('--filter', 'label=role'), ['second', 'first']);
  assert.equal(await names('--filter', 'label=role=db'), ['first']);
  assert.equal(await names('--filter', 'name=sec'), ['second']);
  assert.equal(await names('--filter', 'name=first', '--filter', 'name=second'), ['second', 'first']);
  assert.equal(await names('-a', '--filter', 'status=exited'), ['fourth']);
  assert.equal(await names('-a', '--filter', 'status=created', '--filter', 'name=third'), ['third']);
  assert.equal(await names('-a', '--filter', 'exited=3'), ['fourth']);
  assert.equal(await names('--filter', `id=${ids[0]?.slice(0, 12)}`), ['first']);
  assert.equal(await names('-a', '--filter', 'ancestor=busybox'), ['fourth', 'third', 'second', 'first']);
});

test('a filter that does not exist is an error', async () => {
  await (await busybox()).fails(125, /nonsense/, 'ps', '--filter', 'nonsense=1');
  await (await busybox()).fails(125, /filter/, 'ps', '--filter', 'no-equals');
});

test('--format: template, table, json', async () => {
  const box = await busybox();
  assert.is(
    await box.ok(
      'ps',
      '--filter',
      'name=first',
      '--format',
      '{{.ID}} {{.Image}} {{.Command}} {{.Label "role"}}',
    ),
    `${ids[0]?.slice(0, 12)} busybox "sleep 1000" db`,
  );
  assert.match(await box.ok('ps', '--format', 'table {{.Names}}\t{{.Status}}'), /^NAMES\s+STATUS\n/);
  const lines = (await box.ok('ps', '--format', 'json'))
    .split('\n')
    .map(line => JSON.parse(line) as { Names: string });
  assert.equal(
    lines.map(l => l.Names),
    ['second', 'first'],
  );
  await box.fails(125, /template|format/i, 'ps', '--format', '{{.Names');
});

test.run();
