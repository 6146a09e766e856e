import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, field, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** Health checks: who is well, who is not, and that nobody is left who asks. */
const test = requires(suite('health'), 'userns', 'busybox');
test.after.each(removeContainers);

const health = (id: string): Promise<string> => field(id, '{{.State.Health.Status}}');

async function checked(...flags: string[]): Promise<string> {
  const often = ['--network', 'none', '--health-interval', '300ms', ...flags];
  return (await busybox()).ok('run', '-d', ...often, 'busybox', 'sh', '-c', 'touch /well; sleep 1000');
}

test('starting, healthy, unhealthy after so many failures, healthy again', async () => {
  const box = await busybox();
  const id = await checked('--health-cmd', 'echo looked; test -e /well', '--health-retries', '2');
  assert.is(await health(id), 'starting');
  await eventually(10_000, 'healthy', async () => (await health(id)) === 'healthy');
  assert.match(await box.ok('ps', '--format', '{{.Status}}'), /\(healthy\)$/);
  await box.ok('exec', id, 'rm', '/well');
  await eventually(10_000, 'unhealthy', async () => (await health(id)) === 'unhealthy');
  assert.is(await box.ok('ps', '-q', '--no-trunc', '--filter', 'health=unhealthy'), id);
  const log = JSON.parse(await field(id, '{{json .State.Health.Log}}')) as {
    ExitCode: number;
    Output: string;
  }[];
  assert.ok(log.length <= 5 && log.length >= 2);
  assert.equal([log.at(-1)?.ExitCode, log.at(-1)?.Output], [1, 'looked\n']);
  await box.ok('exec', id, 'touch', '/well');
  await eventually(10_000, 'healthy again', async () => (await health(id)) === 'healthy');
  const events = await box.ok(
    'events',
    '--since',
    '1m',
    '--until',
    '0s',
    '--filter',
    'event=health_status',
    '--format',
    '{{.Action}}',
  );
  assert.is(events, ['healthy', 'unhealthy', 'healthy'].map(word => `health_status: ${word}`).join('\n'));
});

test('one that takes too long failed; a start period excuses', async () => {
  const flags = ['--health-timeout', '200ms', '--health-retries', '1'];
  const id = await checked('--health-cmd', 'sleep 100', ...flags);
  await eventually(10_000, 'unhealthy', async () => (await health(id)) === 'unhealthy');
  assert.match(await field(id, '{{(index .State.Health.Log 0).Output}}'), /exceeded timeout/);
  const period = ['--health-start-period', '1m', '--health-start-interval', '200ms'];
  const young = await checked('--health-cmd', 'false', '--health-retries', '1', ...period);
  await eventually(
    10_000,
    'it was checked',
    async () => (await field(young, '{{len .State.Health.Log}}')) !== '0',
  );
  assert.is(await field(young, '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'), 'starting 0');
});

test('a check that cannot be recorded is not the last one', async () => {
  const id = await checked('--health-cmd', 'echo x >> /checks');
  const box = await busybox();
  await eventually(10_000, 'healthy', async () => (await health(id)) === 'healthy');
  const file = join(box.home.store, 'containers', id, 'health.json');
  // rename(2) puts no file in the place of a directory.
  await eventually(5000, 'no room for the result', () => replaceByDirectory(file));
  const checks = async (): Promise<number> => Number(await box.ok('exec', id, 'sh', '-c', 'wc -l < /checks'));
  // One may be on its way, and one more ends the service that gives up.
  const before = await checks();
  await eventually(20_000, 'it is checked again and again', async () => (await checks()) > before + 2);
  rmdirSync(file);
  await eventually(10_000, 'healthy again', async () => (await health(id)) === 'healthy');
});

function replaceByDirectory(file: string): boolean {
  rmSync(file, { force: true });
  try {
    mkdirSync(file);
    return true;
  } catch {
    return false; // a check was just as fast
  }
}

test('no check, no health', async () => {
  const box = await busybox();
  const id = await box.ok('run', '-d', '--network', 'none', 'busybox', 'sleep', '1000');
  assert.is(await box.ok('ps', '-q', '--no-trunc', '--filter', 'health=none'), id);
  assert.not.match(await field(id, '{{json .State}}'), /Health/);
});

test.run();
