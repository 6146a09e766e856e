import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bootId,
  cgroupLayout,
  isAlive,
  kernelAtLeast,
  kernelVersion,
  parseStat,
  processStart,
} from '../../../src/host/probe.ts';
import { runProgram } from '../../../src/host/spawn.ts';

const test = suite('host/probe');
const rest = (state: string, start: number): string => `${state} 1 ${'0 '.repeat(17)}${start} 99 98`;

test('the start time is field 22 whatever the name is', () => {
  for (const name of ['sh', 'a b', 'a) S 1 2', '(((', ') ', 'x)\nS 5']) {
    assert.equal(parseStat(`42 (${name}) ${rest('R', 123456)}`), { state: 'R', start: 123456 });
  }
});

test('this process lives, and only with its own start time', () => {
  const start = processStart(process.pid);
  assert.type(start, 'number');
  assert.ok(isAlive(process.pid, start ?? 0));
  assert.not(isAlive(process.pid, (start ?? 0) + 1));
  assert.not(isAlive(process.pid, Number.NaN));
});

test('no process, no start', async () => {
  const { stdout } = await runProgram('/bin/sh', ['-c', 'echo $$']);
  const pid = Number(stdout);
  assert.is(processStart(pid), undefined);
  assert.not(isAlive(pid, 1));
  for (const bad of [0, -1, 1.5, 2 ** 40]) assert.not(isAlive(bad, 1));
});

test('boot id', () => assert.match(bootId(), /^[0-9a-f-]{36}$/));

test('kernel versions', () => {
  assert.equal(kernelVersion('6.1.0-18-amd64'), [6, 1]);
  assert.equal(kernelVersion('5.15.167.4-microsoft-standard-WSL2'), [5, 15]);
  assert.equal(kernelVersion('nonsense'), [0, 0]);
  assert.ok(kernelAtLeast(5, 11, [5, 11]));
  assert.ok(kernelAtLeast(5, 11, [6, 0]));
  assert.not(kernelAtLeast(5, 11, [5, 10]));
  assert.not(kernelAtLeast(5, 11, [4, 99]));
});

test('cgroup layouts', () => {
  const one = '30 1 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu';
  const two = '31 1 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';
  assert.is(cgroupLayout(two), 'v2');
  assert.is(cgroupLayout(`${one}\n${two}`), 'hybrid');
  assert.is(cgroupLayout(one), 'v1');
  assert.is(cgroupLayout('1 2 8:1 / / rw - ext4 /dev/cgroup rw'), 'none');
});

test.run();
