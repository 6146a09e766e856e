import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusOf } from '../support/cli.ts';
import { busybox, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** events: what happened, what happens. */
const test = requires(suite('events'), 'userns', 'busybox');
test.after.each(removeContainers);

const PAST = ['--since', '1m', '--until', '0s'];

test('the life of a container, in order, with its status', async () => {
  const box = await busybox();
  await box(
    'run',
    '--rm',
    '--name',
    'once',
    '-l',
    'a=b',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'exit 4',
  );
  const format = '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}';
  const lines = await box.ok('events', ...PAST, '--filter', 'container=once', '--format', format);
  const expected = ['create', 'start', 'die', 'destroy'].map(action => `container ${action} once`);
  assert.is(lines, expected.join('\n'));
  const die = JSON.parse(await box.ok('events', ...PAST, '--filter', 'event=die', '--format', 'json'));
  assert.equal([die.Action, die.Actor.Attributes.exitCode, die.Actor.Attributes.a], ['die', '4', 'b']);
  assert.is(await box.ok('events', ...PAST, '--filter', 'label=a=c'), '');
  await box.fails(125, /invalid filter 'colour'/, 'events', '--filter', 'colour=red');
});

test('the life of an image and of a volume', async () => {
  const box = await busybox();
  const [id] = (await box.ok('images', '-q', '--no-trunc', 'busybox')).split('\n');
  await box.ok('tag', 'busybox', 'seen:1');
  await box.ok('rmi', 'seen:1');
  await box.ok('volume', 'create', 'held');
  await box.ok('volume', 'rm', 'held');
  const told = (...args: string[]) =>
    box.ok('events', ...PAST, ...args, '--format', '{{.Type}} {{.Action}} {{.Actor.ID}}');
  const images = (await told('--filter', 'type=image')).split('\n').slice(-2);
  assert.equal(images, [`image tag ${id}`, `image untag ${id}`]);
  assert.equal((await told('--filter', 'volume=held')).split('\n'), [
    'volume create held',
    'volume destroy held',
  ]);
});

test('follows what happens, from now on, and ends with until', async () => {
  const box = await busybox();
  await sleeper('--name', 'early');
  const follow = box.start('events', '--format', '{{.Action}} {{.Actor.Attributes.name}}');
  let text = '';
  follow.stdout?.on('data', chunk => (text += chunk));
  await new Promise(resolve => setTimeout(resolve, 400));
  const id = await sleeper('--name', 'late');
  await box.ok('stop', '-t', '0', id);
  await eventually(5000, 'it tells', () => text.includes('die late'));
  assert.not.match(text, /early/);
  assert.match(text, /^create late\nstart late\ndie late/);
  follow.kill('SIGKILL');
  await statusOf(follow);
  const until = box.start('events', '--since', '1m', '--until', String(Date.now() / 1000 + 1));
  assert.is(await within(5000, statusOf(until), 'until'), 0);
});

test.run();
