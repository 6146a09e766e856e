import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, field, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** pause and unpause. */
const test = requires(suite('pause'), 'userns', 'busybox');
test.after.each(removeContainers);

const COUNT = 'i=0; while :; do i=$((i+1)); echo $i > /n; sleep 0.01; done';
const counter = async (...flags: string[]): Promise<string> =>
  (await busybox()).ok('run', '-d', '--network', 'none', ...flags, 'busybox', 'sh', '-c', COUNT);

/** Frozen with its control group, or where it has none, stopped (proc(5)). */
async function standsStill(id: string): Promise<boolean> {
  const group = await field(id, '{{.Tsbox.CgroupPath}}');
  if (group !== '') return /^frozen 1$/m.test(readFileSync(`${group}/cgroup.events`, 'utf8'));
  const stat = readFileSync(`/proc/${await field(id, '{{.State.Pid}}')}/stat`, 'latin1');
  return stat[stat.lastIndexOf(')') + 2] === 'T';
}

test('nothing moves until unpause, and every command says so', async () => {
  const box = await busybox();
  const id = await counter('--name', 'still');
  assert.is(await box.ok('pause', 'still'), 'still');
  assert.ok(await standsStill(id));
  assert.is(await field(id, '{{.State.Status}} {{.State.Running}} {{.State.Paused}}'), 'paused true true');
  assert.match(await box.ok('ps', '--format', '{{.Status}}'), /^Up .* \(Paused\)$/);
  assert.is(await box.ok('ps', '--filter', 'status=paused', '--format', '{{.Names}}'), 'still');
  await box.fails(1, /is paused already/, 'pause', 'still');
  await box.fails(1, /still is paused\n +hint: tsbox unpause still/, 'exec', 'still', 'true');
  await box.fails(1, /it is paused\n +hint: tsbox unpause still/, 'attach', 'still');
  assert.is(await box.ok('unpause', 'still'), 'still');
  assert.not(await standsStill(id));
  assert.is(await field(id, '{{.State.Status}}'), 'running');
  await box.fails(1, /is not paused/, 'unpause', 'still');
});

test('a process that exec has started stands still, too', async () => {
  const box = await busybox();
  const id = await sleeper();
  await box.ok('exec', '-d', id, 'sh', '-c', COUNT);
  await eventually(5000, 'it counts', async () => (await box('exec', id, 'cat', '/n')).stdout !== '');
  await box.ok('pause', id);
  const count = (): string => readFileSync(`/proc/${pid}/root/n`, 'utf8');
  const pid = await field(id, '{{.State.Pid}}');
  const before = count();
  await new Promise(resolve => setTimeout(resolve, 200));
  assert.is(count(), before);
  await box.ok('unpause', id);
});

test('stop, kill and rm -f end one that is paused', async () => {
  const box = await busybox();
  const trap = 'trap "exit 3" TERM; while :; do sleep 0.05; done';
  const id = await box.ok('run', '-d', '--network', 'none', 'busybox', 'sh', '-c', trap);
  await box.ok('pause', id);
  await box.ok('stop', id);
  assert.is(await field(id, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 3');
  await box.ok('start', id);
  assert.is(await field(id, '{{.State.Status}}'), 'running', 'the mark of the last run means nothing');
  await box.ok('pause', id);
  await box.ok('kill', id);
  assert.is(await field(id, '{{.State.Status}}'), 'exited');
  await box.ok('start', id);
  await box.ok('pause', id);
  await box.ok('rm', '-f', id);
});

test('what does not run cannot be paused', async () => {
  const box = await busybox();
  await box.ok('create', '--name', 'idle', 'busybox', 'true');
  await box.fails(1, /not running/, 'pause', 'idle');
  await box.fails(1, /no such container/, 'pause', 'nobody');
});

test.run();
