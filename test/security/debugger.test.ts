import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf } from '../support/cli.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { processesOf } from '../support/runner/leaks.ts';
import { eventually, within } from '../support/within.ts';

/** Node opens its debugger to every user of the machine when it is told SIGUSR1, as batch systems tell all of a job. */
const test = requires(suite('security: no debugger by SIGUSR1'), 'userns', 'busybox');
test.after.each(removeContainers);

/** proc_net_tcp(5): state 0A is LISTEN, the tenth column the inode. */
function listening(): Set<string> {
  const lines = ['tcp', 'tcp6'].flatMap(name => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'));
  const rows = lines.map(line => line.trim().split(/\s+/)).filter(row => row[3] === '0A');
  return new Set(rows.map(row => `socket:[${row[9]}]`));
}

function ports(pid: number): string[] {
  const open = listening();
  const links = readdirSync(`/proc/${pid}/fd`).map(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed while we looked
    }
  });
  return links.filter(link => open.has(link));
}

/** Long enough for a debugger to listen: it takes some ten milliseconds. */
const settle = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 500));

async function stays(pid: number, child: ChildProcess): Promise<void> {
  assert.equal(ports(pid), []);
  process.kill(pid, 'SIGUSR1');
  await settle();
  process.kill(pid, 0);
  assert.equal(ports(pid), []);
  assert.is(child.exitCode, null);
}

test('a command that waits', async () => {
  const box = await busybox();
  const child = box.start('events');
  const [said, status, seen] = [collect(child.stderr), statusOf(child), collect(child.stdout)];
  await eventually(10_000, 'an event', async () => {
    await box.ok('tag', 'busybox', 'again');
    return seen() !== '';
  });
  await stays(child.pid ?? 0, child);
  child.kill('SIGTERM');
  await within(10_000, status);
  assert.is(said(), '');
});

test('the process that reads the files of a container', async () => {
  const box = await busybox();
  const fill = 'head -c 30000000 /dev/zero > /big';
  await box.ok('run', '--name', 'full', '--network', 'none', 'busybox', 'sh', '-c', fill);
  const child = box.start('export', 'full');
  const [said, status] = [collect(child.stderr), statusOf(child)];
  const uid = process.getuid?.();
  // Nobody reads what it writes: it stands.
  const task = await eventually(10_000, 'the process of the export', () =>
    processesOf(owner => owner === uid).find(p => p.command.includes('"task":"export"')),
  );
  await settle();
  await stays(task.pid, child);
  child.stdout?.resume();
  assert.is(await within(20_000, status), 0);
  assert.is(said(), '');
});

test.run();
