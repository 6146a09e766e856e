import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Box } from '../support/cli.ts';
import { busybox, field, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** stats, top and port. */
const test = requires(suite('stats'), 'userns', 'busybox');
test.after.each(removeContainers);

const BUSY = ['sh', '-c', 'while :; do :; done'];

test('stats: a busy container and an idle one', async () => {
  const box = await busybox();
  const idle = await sleeper('--name', 'idle');
  await box.ok('run', '-d', '--name', 'busy', '--network', 'none', 'busybox', ...BUSY);
  const rows = await look(box);
  assert.ok(Number.parseFloat(rows.get('busy')?.CPUPerc ?? '') > 5, rows.get('busy')?.CPUPerc);
  assert.is(rows.get('idle')?.PIDs, '1');
  assert.match(rows.get('idle')?.MemUsage ?? '', /^[\d.]+(B|KiB|MiB) \/ [\d.]+GiB$/);
  const group = await field(idle, '{{.Tsbox.CgroupPath}}');
  assert.is(rows.get('idle')?.Source, group === '' ? 'proc' : 'cgroup');
  assert.match(await box.ok('stats', '--no-stream', 'idle'), /^CONTAINER ID +NAME +CPU %/);
  await box.fails(1, /no such container/, 'stats', '--no-stream', 'nobody');
});

test('stats --no-stream: since the last look, if there was one a moment ago', async () => {
  const box = await busybox();
  const toggle = 'while [ ! -e /stop ]; do :; done; sleep 1000';
  await box.ok('run', '-d', '--name', 'was', '--network', 'none', 'busybox', 'sh', '-c', toggle);
  await new Promise(resolve => setTimeout(resolve, 500));
  await box.ok('exec', 'was', 'touch', '/stop');
  const share = async (): Promise<number> => Number.parseFloat((await look(box)).get('was')?.CPUPerc ?? '');
  const life = await share();
  assert.ok(life > 5, `${life} since it began`);
  await new Promise(resolve => setTimeout(resolve, 700));
  assert.is(await share(), 0, 'nothing since the last look');
});

async function look(box: Box): Promise<Map<string, Record<string, string>>> {
  const lines = await box.ok('stats', '--no-stream', '--format', 'json');
  return new Map(lines.split('\n').map(line => [JSON.parse(line).Name, JSON.parse(line)]));
}

test('top: processes of the container and no other', async () => {
  const box = await busybox();
  const id = await sleeper();
  await box.ok('exec', '-d', id, 'sleep', '2000');
  const [head, ...rows] = (await box.ok('top', id)).split('\n');
  assert.match(head ?? '', /^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
  assert.equal(
    rows.map(row => row.replace(/^.*(?=sleep)/, '')),
    ['sleep 1000', 'sleep 2000'],
  );
  const pids = (await box.ok('top', id, '-o', 'pid,args')).split('\n').slice(1);
  assert.is(pids.length, 2);
  assert.match(pids[0] ?? '', new RegExp(`^${await field(id, '{{.State.Pid}}')} +sleep 1000$`));
  await box.fails(1, /leave out the column 'PID'/, 'top', id, '-o', 'args');
  await box.ok('stop', '-t', '0', id);
  await box.fails(1, /not running/, 'top', id);
});

test('ps shows an argument with blanks in quotes', async () => {
  const box = await busybox();
  await box.ok('create', 'busybox', 'sh', '-c', 'echo "a b"');
  assert.is(await box.ok('ps', '-a', '--no-trunc', '--format', '{{.Command}}'), `"sh -c 'echo \\"a b\\"'"`);
});

test.run();
