import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StateFile } from '../../../src/store/container-record.ts';
import { containerState } from '../../../src/store/containers.ts';
import { holderIn } from '../../../src/store/containers-lock.ts';
import { identityAlive, ownIdentity } from '../../../src/store/containers-owner.ts';
import { addContainer, GONE, ownStart, tempStore } from '../../support/container-store.ts';

const state = suite('store/containers-state');

const deadSupervisor = { supervisor: GONE.pid, supervisor_start: GONE.start };

async function stateWith(file?: Partial<StateFile>) {
  const paths = tempStore();
  const record = await addContainer(paths, {}, file);
  assert.equal(await containerState(paths, record), await containerState(paths, record.id));
  return containerState(paths, record);
}

state('never started: created', async () => {
  const found = await stateWith();
  assert.is(found.status, 'created');
  assert.is(found.pid, 0);
  assert.is(found.startedAt, undefined);
});

state('both processes live: running', async () => {
  const found = await stateWith({});
  assert.is(found.status, 'running');
  assert.is(found.pid, process.pid);
  assert.is(found.start, ownStart());
  assert.is(found.startedAt, '2026-01-02T03:04:06.123456789Z');
  assert.is(found.finishedAt, undefined);
});

state('pid 1 is gone and its supervisor is just recording it: running', async () => {
  assert.is((await stateWith(GONE)).status, 'running');
});

state('ended: what the supervisor wrote', async () => {
  const found = await stateWith({
    status: 'exited',
    exit_code: 3,
    finished_at: '2026-01-02T03:05:00Z',
    oom: true,
  });
  assert.is(found.status, 'exited');
  assert.is(found.exitCode, 3);
  assert.is(found.oom, true);
  assert.is(found.finishedAt, '2026-01-02T03:05:00Z');
  assert.is(found.error, undefined);
  assert.is(found.pid, 0);
});

state('supervisor killed, pid 1 died with it: exited 137, and it says so', async () => {
  const found = await stateWith({ ...deadSupervisor, ...GONE });
  assert.is(found.status, 'exited');
  assert.is(found.exitCode, 137);
  assert.match(found.error ?? '', /supervisor was killed/);
});

state('supervisor killed, pid 1 lives: dead, with the pid that rm -f has to kill', async () => {
  const found = await stateWith(deadSupervisor);
  assert.is(found.status, 'dead');
  assert.is(found.pid, process.pid);
  assert.match(found.error ?? '', /first process is still there/);
});

state('another boot: exited 255, whoever has the pids now', async () => {
  const found = await stateWith({ boot: '00000000-0000-0000-0000-000000000000' });
  assert.is(found.status, 'exited');
  assert.is(found.exitCode, 255);
  assert.match(found.error ?? '', /restarted/);
});

state('pids that cannot be: exited', async () => {
  for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
    const found = await stateWith({ pid, start: 1, supervisor: pid, supervisor_start: 1 });
    assert.is(found.status, 'exited', String(pid));
  }
});

state('a damaged state file: dead, with the reason, and no pid to kill', async () => {
  const paths = tempStore();
  const record = await addContainer(paths);
  for (const text of ['', '{', 'null', '[]', '{"version":2}', '{"version":1,"status":"x"}']) {
    writeFileSync(join(paths.containers, record.id, 'state.json'), text);
    const found = await containerState(paths, record);
    assert.is(found.status, 'dead', text);
    assert.is(found.pid, 0);
    assert.match(found.error ?? '', /state\.json/);
  }
});

state('identities: ours lives; another start, another boot and nonsense do not', () => {
  const own = ownIdentity();
  assert.is(identityAlive(own), true);
  assert.is(identityAlive(`${own} transient`), true);
  const [pid, start, ...boot] = own.split('-');
  assert.is(identityAlive(`${pid}-${Number(start) + 1}-${boot.join('-')}`), false);
  assert.is(identityAlive(`${pid}-${start}-another`), false);
  for (const text of ['', '-', 'x', '1', `${pid}`, `${pid}-${start}`, `-${own}`]) {
    assert.is(identityAlive(text), false, text);
  }
});

state('/proc/locks: only a granted flock on that inode counts', () => {
  const line = '12: FLOCK  ADVISORY  WRITE 718 00:1f:4711 0 EOF';
  assert.is(holderIn(line, 4711), 718);
  assert.is(holderIn(line, 471), undefined);
  assert.is(holderIn('12: POSIX  ADVISORY  WRITE 718 00:1f:4711 0 EOF', 4711), undefined);
  assert.is(holderIn('12: -> FLOCK  ADVISORY  WRITE 718 00:1f:4711 0 EOF', 4711), undefined);
  for (const text of ['', 'x', '12: FLOCK']) assert.is(holderIn(text, 4711), undefined);
});

state.run();
