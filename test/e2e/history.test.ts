import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

const test = requires(suite('history'), 'userns', 'busybox');
test.after.each(removeContainers);

let made: Promise<string> | undefined;

/** An image of two layers; its id. */
const image = (): Promise<string> => {
  made ??= build();
  return made;
};

async function build(): Promise<string> {
  const box = await busybox();
  const script = `head -c 3000000 /dev/zero > /big; : ${'long '.repeat(20)}`;
  await box.ok('run', '--name', 'made', '--network', 'none', 'busybox', 'sh', '-c', script);
  return box.ok('commit', '-m', 'three megabytes', 'made', 'told:1');
}

test('docker’s table', async () => {
  const id = await image();
  const lines = (await (await busybox()).ok('history', 'told:1')).split('\n');
  assert.is(lines.length, 3);
  assert.match(lines[0] ?? '', /^IMAGE\s+CREATED\s+CREATED BY\s+SIZE\s+COMMENT$/);
  const newest = new RegExp(`^${id.slice(7, 19)}\\s+.* ago\\s+sh -c head .*…\\s+3MB\\s+three megabytes$`);
  assert.match(lines[1] ?? '', newest);
  assert.match(lines[2] ?? '', /^<missing>\s+.* ago\s+test\s+[\d.]+MB\s*$/);
});

test('-q, --no-trunc, --human=false, --format', async () => {
  const id = await image();
  const box = await busybox();
  assert.equal((await box.ok('history', '-q', 'told:1')).split('\n'), [id.slice(7, 19), '<missing>']);
  assert.equal((await box.ok('history', '-q', '--no-trunc', 'told:1')).split('\n')[0], id);
  const plain = await box.ok(
    'image',
    'history',
    '-H=false',
    '--format',
    '{{.Size}} {{.CreatedSince}}',
    'told:1',
  );
  assert.match(plain.split('\n')[0] ?? '', /^3000000 \d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const [json = ''] = (await box.ok('history', '--no-trunc', '--format', 'json', 'told:1')).split('\n');
  const { CreatedBy, Comment, ID } = JSON.parse(json) as Record<string, string>;
  assert.equal([ID, Comment], [id, 'three megabytes']);
  assert.match(CreatedBy ?? '', /long long $|long$/);
});

test('an image that is not there', async () => {
  await (await busybox()).fails(1, /no such image: nothing/i, 'history', 'nothing');
});

test.run();
