import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestUser } from './users.ts';

export interface Process {
  readonly pid: number;
  readonly uid: number;
  readonly command: string;
  /** Clock ticks since boot: with the pid it names a process for good. */
  readonly start: string;
}

/** Living processes whose real uid the test accepts; zombies are somebody's unread status, not a leak of ours. */
export function processesOf(owns: (uid: number) => boolean): Process[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => readProcess(Number(name)) ?? [])
    .filter(p => owns(p.uid));
}

function readProcess(pid: number): Process | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (/^State:\s+[ZX]/m.test(status)) return undefined;
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return { pid, uid, command: line || `[${/^Name:\s+(.*)$/m.exec(status)?.[1]}]`, start };
  } catch {
    return undefined; // it ended while we looked
  }
}

const OURS = /^tsbox:|slirp4netns|fuse-overlayfs|docker-registry/;
const key = (p: Process): string => `${p.pid}/${p.start}`;

/** What was there before a test file, so that only what it adds counts. */
export interface Before {
  readonly processes: ReadonlySet<string>;
}

export const lookBefore = (user: TestUser): Before => ({
  processes: new Set(processesOf(user.owns).map(key)),
});

/** What a test file left behind; waits up to three seconds for processes that are just ending. */
export async function findLeaks(user: TestUser, home: string, before: Before): Promise<string[]> {
  const end = Date.now() + 3000;
  for (;;) {
    const leaks = [...leakedProcesses(user, before), ...leakedMounts(home), ...leakedSockets(home)];
    if (leaks.length === 0 || Date.now() > end) return leaks;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** A user we made has nothing else to run; of a person's processes only those that tsbox starts are judged. */
function leakedProcesses(user: TestUser, before: Before): string[] {
  return processesOf(user.owns)
    .filter(p => !before.processes.has(key(p)) && (user.ours || OURS.test(p.command)))
    .map(p => `process ${p.pid} (uid ${p.uid}): ${p.command.slice(0, 200)}`);
}

function leakedMounts(home: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.split(' ')[4]?.startsWith(home))
    .map(line => `mount ${line.split(' ')[4]}`);
}

/** Runtime directories of the file's home and of the homes inside it. */
function leakedSockets(home: string): string[] {
  const homes = [home, ...list(home).map(name => join(home, name))];
  return homes.flatMap(dir => {
    const runtime = join(dir, 'run', 'tsbox');
    return filesIn(runtime)
      .filter(path => isOfContainer(path))
      .map(path => `file of the runtime directory ${path.slice(runtime.length + 1)}`);
  });
}

/** Sockets, and whatever bears a container's id; what tsbox has found out about the machine may stay. */
const isOfContainer = (path: string): boolean =>
  /[0-9a-f]{64}/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false);

function filesIn(dir: string): string[] {
  return list(dir).flatMap(name => {
    const path = join(dir, name);
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? filesIn(path) : [path];
  });
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // not there, or of a user namespace
  }
}
