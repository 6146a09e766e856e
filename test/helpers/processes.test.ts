import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, within } from '../support/within.ts';
import { HELPER } from './harness.ts';

/** The role `processes`: what `stop`, `kill` and `rm` ask of a helper that was begun beside them. */
const test = suite('helper processes');
const begun: ChildProcess[] = [];
test.after.each(() => {
  for (const child of begun.splice(0)) child.kill('SIGKILL');
});

function sleeper(): { child: ChildProcess; pid: number; start: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  begun.push(child);
  const pid = child.pid ?? 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { child, pid, start: Number(fields[19]) };
}

function helper(): { child: ChildProcess; channel: Duplex; answers: (count: number) => Promise<string[]> } {
  const child = spawn(HELPER, ['processes'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'ignore'] });
  begun.push(child);
  const channel = child.stdio[3] as Duplex;
  let said = '';
  channel.setEncoding('utf8').on('data', chunk => {
    said += chunk;
  });
  const lines = (): string[] => said.split('\n').slice(0, -1);
  const answers = async (count: number): Promise<string[]> => {
    while (lines().length < count) await new Promise(resolve => setTimeout(resolve, 5));
    return lines();
  };
  return { child, channel, answers: count => within(10_000, answers(count)) };
}

test('a signal reaches the process with that start time, and no other', async () => {
  const [target, box] = [sleeper(), helper()];
  box.channel.write(`1 kill ${target.pid} ${target.start + 1} 9\n`);
  assert.equal(await box.answers(1), ['1 3']);
  assert.is(target.child.exitCode, null);
  const gone = new Promise(resolve => target.child.once('exit', (_, signal) => resolve(signal)));
  box.channel.write(`2 kill ${target.pid} ${target.start} 15\n`);
  assert.equal(await box.answers(2), ['1 3', '2 0']);
  assert.is(await within(5_000, gone), 'SIGTERM');
});

test('waits overlap: the one that ends first is answered first', async () => {
  const [long, short, box] = [sleeper(), sleeper(), helper()];
  box.channel.write(`a wait ${long.pid} ${long.start}\nb wait ${short.pid} ${short.start}\n`);
  box.channel.write(`c wait ${long.pid} ${long.start} 20\nd wait 4194303 1\n`);
  assert.equal((await box.answers(2)).sort(), ['c 4', 'd 0']);
  short.child.kill('SIGKILL');
  assert.is((await box.answers(3))[2], 'b 0');
});

test('a line that is none of these has the status of a failure', async () => {
  const box = helper();
  box.channel.write('x frobnicate 1 2 3\ny kill 1\n\nz wait\n');
  assert.equal((await box.answers(4)).sort(), [' 125', 'x 125', 'y 125', 'z 125']);
});

test('with the channel it ends, and whoever waits for it', async () => {
  const [target, box] = [sleeper(), helper()];
  box.channel.write(`1 wait ${target.pid} ${target.start}\n2 kill ${target.pid} ${target.start} 0\n`);
  assert.equal(await box.answers(1), ['2 0']);
  // Who has answered is a moment longer there than the answer.
  const children = await eventually(5_000, 'the one that waits alone', () => {
    const pids = readFileSync(`/proc/${box.child.pid}/task/${box.child.pid}/children`, 'utf8').trim();
    return /^\d+$/.test(pids) && pids;
  });
  const gone = new Promise(resolve => box.child.once('exit', resolve));
  box.channel.end();
  assert.is(await within(5_000, gone), 0);
  await within(5_000, untilGone(Number(children)));
});

async function untilGone(pid: number): Promise<void> {
  const state = (): string | undefined => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
    } catch {
      return undefined;
    }
  };
  for (let now = state(); now !== undefined && now !== 'Z'; now = state())
    await new Promise(resolve => setTimeout(resolve, 5));
}

test.run();
