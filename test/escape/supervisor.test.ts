import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { asAttack, compile } from '../support/attack-program.ts';
import { statusOf } from '../support/cli.ts';
import { escapeSuite, type Scene } from '../support/escape.ts';
import { eventually } from '../support/within.ts';

/** A process of the container signals, traces or looks into what is beside it: the supervisor, the helper of an `exec`, the client. */
const test = escapeSuite(['signals to and ptrace of the supervisor'], { drivers: 'any', needs: ['cc'] });

/** Tries everything on every process that it can see but its like, for some time. Prints what has worked. */
const MEDDLE = `#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
static int seen, denied;
static void attempt(int pid) {
  char path[64], exe[300] = "", name[300] = "", byte; struct stat *unused = 0;
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  int comm = open(path, O_RDONLY); if (comm < 0) return;
  read(comm, name, 200); close(comm);
  if (strncmp(name, "tsbox", 5) && strncmp(name, "victim", 6)) return; /* the name of a helper, until it becomes a command */
  seen++;
  int traced = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
  snprintf(path, sizeof path, "/proc/%d/mem", pid); int mem = open(path, O_RDWR);
  snprintf(path, sizeof path, "/proc/%d/cwd", pid); int cwd = open(path, O_PATH);
  snprintf(path, sizeof path, "/proc/%d/fd", pid); int list = open(path, O_RDONLY), fds = -1;
  for (char fd[2] = "0"; list >= 0 && *fd <= '9'; ++*fd) if (readlinkat(list, fd, &byte, 1) > 0) fds = 0;
  /* it may have become a command in between: that is one of ours */
  snprintf(path, sizeof path, "/proc/%d/exe", pid); readlink(path, exe, sizeof exe - 1);
  char now[64] = ""; snprintf(path, sizeof path, "/proc/%d/comm", pid); comm = open(path, O_RDONLY);
  if (comm >= 0) read(comm, now, sizeof now - 1), close(comm);
  if (!strcmp(exe, "/bin/busybox") || strcmp(now, name)) ; else if (!traced && mem < 0 && cwd < 0 && fds < 0) denied++;
  else printf("MEDDLED %d %s traced=%d mem=%d cwd=%d fds=%d\\n", pid, exe, traced, mem >= 0, cwd >= 0, fds >= 0);
  if (traced) ptrace(PTRACE_DETACH, pid, 0, 0);
  close(mem); close(cwd); close(list);
}
int main(int argc, char **argv) {
  time_t end = time(NULL) + 2;
  write(1, "r\\n", 2);
  if (argc > 1) attempt(atoi(argv[1])), end = 0;
  while (time(NULL) < end) {
    DIR *d = opendir("/proc");
    for (struct dirent *e; (e = readdir(d));) if (atoi(e->d_name) > 0 && atoi(e->d_name) != getpid()) attempt(atoi(e->d_name));
    closedir(d);
  }
  printf("seen=%d denied=%d\\n", seen, denied);
}`;

test('outside of a container, a process of the same user can be looked into', async () => {
  const victim = spawn('sh', ['-c', 'printf victim > /proc/$$/comm; sleep 5; :']);
  await eventually(5000, 'a victim', () => readFileSync(`/proc/${victim.pid}/comm`, 'utf8') === 'victim\n');
  const done = spawnSync(compile(MEDDLE), [String(victim.pid)], { encoding: 'utf8' });
  victim.kill();
  assert.match(done.stdout, /MEDDLED/);
});

const helpersOfExec =
  (...flags: string[]) =>
  async ({ box, start }: Scene): Promise<void> => {
    const id = await start(...flags, ...asAttack(compile(MEDDLE)), 'busybox', 'sleep', '1000');
    const attack = box.start('exec', id, '/attack');
    const status = statusOf(attack);
    let said = '';
    attack.stdout?.on('data', (bytes: Buffer) => {
      said += bytes;
    });
    await new Promise(resolve => attack.stdout?.once('data', resolve));
    await Promise.all(Array.from({ length: 6 }, () => box('exec', id, 'true')));
    await box('exec', '-t', id, 'true');
    assert.is(await status, 0);
    assert.is(/.*MEDDLED.*/.exec(said)?.[0] ?? '', '');
    assert.match(said, /seen=/);
  };

test('the helpers of exec, while they become commands', helpersOfExec());

/** The right to trace is one over processes that were executed in the container’s user namespace. */
test('the same with CAP_SYS_PTRACE', helpersOfExec('--cap-add', 'SYS_PTRACE'));

test('kill -1, kill of the parent, of groups and of every number: the supervisor stays', async ({
  box,
  start,
}) => {
  const id = await start('--init', '--cap-add', 'KILL', 'busybox', 'sleep', '1000');
  const state = JSON.parse(readFileSync(join(box.home.store, 'containers', id, 'state.json'), 'utf8'));
  const stat = readFileSync(`/proc/${state.supervisor}/stat`, 'utf8').split(' ')[21];
  const script = `trap "" TERM HUP; kill -TERM $PPID 0 2>/dev/null; kill -KILL ${state.supervisor} ${state.pid} ${process.pid} 2>/dev/null && echo killed; kill -TERM -1; ps | grep -c tsbox.*supervise`;
  const done = await box('exec', id, 'sh', '-c', script);
  assert.not.match(done.stdout, /killed/);
  assert.is(readFileSync(`/proc/${state.supervisor}/stat`, 'utf8').split(' ')[21], stat, 'the same process');
  const seen = await box('exec', id, 'sh', '-c', 'ps -o pid,ppid,comm; cat /proc/1/status');
  if (seen.code === 0) assert.match(seen.stdout, /^PPid:\s+0$/m);
  assert.ok(Number(await box.ok('wait', id).catch(() => '0')) >= 0);
});

test.run();
