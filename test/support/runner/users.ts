import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { hasSubids } from '../requires.ts';
import { processesOf } from './leaks.ts';

/** A user that test files run as, with a directory of its own below the runner's work directory. */
export interface TestUser {
  readonly account: 'ranges' | 'single' | 'root' | 'self';
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Host uids that processes of this user can have: its own and its subordinate ones. */
  readonly owns: (uid: number) => boolean;
  /** Made by us: every process it leaves is a leak, and it is removed at the end. */
  readonly ours: boolean;
  readonly dir: string;
}

/** Whoever started the runner. */
export function selfUser(workDir: string): TestUser {
  const { username, uid, gid } = userInfo();
  const account = uid === 0 ? 'root' : hasSubids() ? 'ranges' : 'single';
  return claimDir(
    { account, name: username, uid, gid, owns: ownerTest(username, uid), ours: false },
    workDir,
  );
}

/** A new user with a unique name; needs root. */
export function makeUser(account: 'ranges' | 'single', workDir: string): TestUser {
  const name = `tsbt${randomBytes(3).toString('hex')}${account === 'ranges' ? 'r' : 's'}`;
  const home = join(workDir, name);
  const noIds = ['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0'];
  admin('useradd', ['-M', '-d', home, '-s', '/bin/sh', ...(account === 'single' ? noIds : []), name]);
  const uid = Number(run('id', ['-u', name]));
  const gid = Number(run('id', ['-g', name]));
  if (account === 'ranges' && !/^./m.test(subidLines(name))) {
    admin('usermod', ['--add-subuids', '1000000-1065535', '--add-subgids', '1000000-1065535', name]);
  }
  return claimDir({ account, name, uid, gid, owns: ownerTest(name, uid), ours: true }, workDir);
}

/** Ends what the user still runs, then removes it and its subordinate ids. */
export function removeUser(user: TestUser): void {
  if (!user.ours) return;
  for (const p of processesOf(user.owns)) {
    try {
      process.kill(p.pid, 'SIGKILL');
    } catch {} // it has just ended
  }
  admin('userdel', [user.name]);
  rmSync(user.dir, { recursive: true, force: true });
}

function claimDir(user: Omit<TestUser, 'dir'>, workDir: string): TestUser {
  const dir = join(workDir, user.name);
  mkdirSync(join(dir, 'tmp'), { recursive: true, mode: 0o700 });
  for (const path of [dir, join(dir, 'tmp')]) {
    chmodSync(path, user.account === 'root' ? 0o711 : 0o700);
    if (user.ours) chownSync(path, user.uid, user.gid);
  }
  return { ...user, dir };
}

const subidLines = (name: string): string =>
  readFileSync('/etc/subuid', 'utf8')
    .split('\n')
    .filter(line => line.startsWith(`${name}:`))
    .join('\n');

function ownerTest(name: string, uid: number): (uid: number) => boolean {
  const ranges = subidLines(name)
    .split('\n')
    .map(line => line.split(':').slice(1).map(Number));
  return other =>
    other === uid || ranges.some(([first = 0, count = 0]) => other >= first && other < first + count);
}

/** useradd and userdel lock /etc/passwd: another one at work is waited for. */
function admin(program: string, args: string[]): void {
  for (let attempt = 0; ; attempt++) {
    const done = spawnSync(program, args, { encoding: 'utf8' });
    if (done.status === 0) return;
    if (attempt === 20 || !/lock/.test(done.stderr)) throw new Error(`${program}: ${done.stderr}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function run(program: string, args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout.trim();
}
