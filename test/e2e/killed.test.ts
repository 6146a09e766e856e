import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusOf } from '../support/cli.ts';
import { leftovers, processesOf } from '../support/left.ts';
import { busybox, field, removeContainers, sleeper } from '../support/ready.ts';
import { missingNeed, requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';

/** SIGKILL for whoever takes part: what is told afterwards is true, and nothing is left. */
const test = requires(suite('killed'), 'userns', 'busybox');
test.after.each(removeContainers);

const RUN = ['run', '--network', 'none'];
const supervisor = async (id: string): Promise<number> => Number(await field(id, '{{.Tsbox.SupervisorPid}}'));

test('the supervisor: 137, and every command says so at once', async () => {
  const box = await busybox();
  const id = await sleeper('--name', 'shot');
  const [logs, wait] = [box.start('logs', '-f', id), box.start('wait', id)];
  const waited = output(wait);
  await new Promise(resolve => setTimeout(resolve, 300)); // both are waiting now, or will find it so
  process.kill(await supervisor(id), 'SIGKILL');
  assert.is(await within(5000, statusOf(logs), 'logs -f'), 0);
  assert.is(await within(5000, waited, 'wait'), '137\n');
  assert.is(await field(id, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
  assert.match(await field(id, '{{.State.Error}}'), /supervisor was killed/);
  await box.fails(1, /not running/, 'kill', id);
  assert.is(await box.ok('stop', id), id);
  await box.ok('start', id);
  assert.is(await field(id, '{{.State.Status}}'), 'running');
  await box.ok('rm', '-f', id);
});

test('the machine, before state.json was on the disk: start works', async () => {
  const box = await busybox();
  const id = await sleeper();
  await box.ok('kill', id);
  writeFileSync(join(box.home.store, 'containers', id, 'state.json'), '');
  assert.is(await status(id), 'dead');
  assert.is(await box.ok('start', id), id);
  assert.is(await status(id), 'running');
});

const status = (id: string): Promise<string> => field(id, '{{.State.Status}}');

test('pid 1: 137, told by the supervisor', async () => {
  const box = await busybox();
  const id = await sleeper();
  process.kill(Number(await field(id, '{{.State.Pid}}')), 'SIGKILL');
  assert.is(await within(5000, box.ok('wait', id), 'wait'), '137');
  assert.is(await field(id, '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}'), 'exited 137 ');
});

test('the client of run --rm: the container goes on, and is removed at its end', async () => {
  const box = await busybox();
  const client = box.start(...RUN, '--rm', '--name', 'alone', 'busybox', 'sleep', '2');
  await eventually(
    5000,
    'it runs',
    async () => (await box('ps', '-q', '--filter', 'name=alone')).stdout !== '',
  );
  client.kill('SIGKILL');
  await statusOf(client);
  assert.is(await field('alone', '{{.State.Status}}'), 'running');
  assert.is(processesOf(box.home.dir).length > 0, true, 'its supervisor is among what is counted below');
  await eventually(10_000, 'it is removed', async () => (await box('ps', '-aq')).stdout === '');
  await eventually(5000, 'nothing of it is left', async () => leftovers(box.home.store).length === 0);
});

test('client and supervisor of run --rm: the next command removes what is left', async () => {
  const box = await busybox();
  const client = box.start(...RUN, '--rm', '--name', 'gone', 'busybox', 'sleep', '1000');
  await eventually(
    5000,
    'it runs',
    async () => (await box('ps', '-q', '--filter', 'name=gone')).stdout !== '',
  );
  const pid = await supervisor('gone');
  client.kill('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await statusOf(client);
  await box.ok('create', '--name', 'next', 'busybox', 'true');
  assert.is(await box.ok('ps', '-a', '--format', '{{.Names}}'), 'next');
  await box.ok('rm', 'next');
  assert.equal(leftovers(box.home.store), []);
});

test('the client at any moment of run', async () => {
  const box = await busybox();
  for (let delay = 20; delay <= 400; delay += process.env.TSBOX_TEST_LONG ? 2 : 25) {
    const client = box.start(...RUN, '--rm', 'busybox', 'sleep', '1000');
    await new Promise(resolve => setTimeout(resolve, delay));
    client.kill('SIGKILL');
    await statusOf(client);
  }
  await removeContainers();
  await eventually(
    5000,
    'the last supervisors have gone',
    async () => processesOf(box.home.dir).length === 0,
  );
  // Whatever was killed before it had a supervisor is swept by the next command that makes or removes something.
  await box.ok('create', '--name', 'next', 'busybox', 'true');
  await box.ok('rm', 'next');
  assert.equal(leftovers(box.home.store), []);
  assert.is(await box.ok('ps', '-aq'), '');
  assert.equal(processesOf(box.home.dir), []);
});

test('rm while it is being removed, started, stopped: always gone in the end', async () => {
  const box = await busybox();
  for (let round = 0; round < 4; round++) {
    const id = await sleeper();
    const others = [
      ['stop', '-t', '0', id],
      ['start', id],
      ['rm', '-f', id],
      ['kill', id],
      ['rm', '-f', id],
    ];
    await Promise.all(others.map(args => box(...args)));
    await box.ok('rm', '-f', id);
    assert.is(await box.ok('ps', '-aq'), '');
  }
  await eventually(5000, 'nothing runs', async () => processesOf(box.home.dir).length === 0);
});

const ROUNDS = process.env.TSBOX_TEST_LONG ? 300 : 15;
/** Who is killed; the last two are children of the supervisor where there are such. */
const VICTIMS = ['client', 'supervisor', 'pid 1', 'slirp4netns', 'fuse-overlayfs'] as const;

test(`somebody at a random moment, ${ROUNDS} rounds: the state is true at once, and rm -f works`, async () => {
  const box = await busybox();
  const fuse = missingNeed('fuse', 'fuse-overlayfs') === undefined;
  const network = missingNeed('tun', 'slirp4netns') === undefined ? 'slirp4netns' : 'none';
  for (let round = 0; round < ROUNDS; round++) {
    const victim = VICTIMS[round % VICTIMS.length] ?? 'client';
    const driver = fuse && (victim === 'fuse-overlayfs' || round % 2 === 1) ? 'fuse-overlayfs' : 'auto';
    const flags = ['--network', network, '--storage-driver', driver, '--name', `r${round}`];
    const client = box.start('run', ...flags, 'busybox', 'sh', '-c', 'while :; do echo x; sleep 0.02; done');
    const ended = statusOf(client);
    await eventually(
      10_000,
      'it runs',
      async () => (await box('ps', '-q', '-f', `name=r${round}`)).stdout !== '',
    );
    await new Promise(resolve => setTimeout(resolve, Math.random() * 60));
    const pids = JSON.parse(
      await field(`r${round}`, '[{{.Tsbox.SupervisorPid}},{{.State.Pid}}]'),
    ) as number[];
    shoot(victim, client, pids);
    await assertTruth(`r${round}`, `${round}: ${victim}`);
    await box.ok('rm', '-f', `r${round}`);
    client.kill('SIGKILL');
    await ended;
  }
  await eventually(5000, 'nobody is left', async () => processesOf(box.home.dir).length === 0);
  assert.equal(leftovers(box.home.store), []);
});

function shoot(
  victim: (typeof VICTIMS)[number],
  client: ChildProcess,
  [supervisor = 0, first = 0]: number[],
): void {
  if (victim === 'client') client.kill('SIGKILL');
  else if (victim === 'supervisor') process.kill(supervisor, 'SIGKILL');
  else if (victim === 'pid 1') process.kill(first, 'SIGKILL');
  else for (const pid of childrenOf(supervisor)) if (nameOf(pid) === victim) process.kill(pid, 'SIGKILL');
}

/** What inspect says against what /proc shows. */
async function assertTruth(name: string, why: string): Promise<void> {
  const [status = '', pid = '0', exit = ''] = (
    await field(name, '{{.State.Status}} {{.State.Pid}} {{.State.ExitCode}}')
  ).split(' ');
  assert.ok(['running', 'exited', 'dead'].includes(status), `${why}: ${status}`);
  if (status === 'exited') assert.equal([pid, exit], ['0', '137'], why);
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => statOf(pid)[1] === String(parent));
}

/** Fields of stat behind the name. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

async function output(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test.run();
