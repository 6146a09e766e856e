import * as assert from 'uvu/assert';
import { asAttack, compile } from '../support/attack-program.ts';
import { escapeSuite } from '../support/escape.ts';

/** A container opens files until it may no more, in many processes: a million of them. tsbox goes on to work, beside it and for it. */
const test = escapeSuite(['a million open files'], { drivers: 'any', needs: ['cc'] });

const OPEN = `#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct rlimit l; getrlimit(RLIMIT_NOFILE, &l); l.rlim_cur = l.rlim_max; setrlimit(RLIMIT_NOFILE, &l);
  int want = atoi(argv[1]), pipes[2]; pipe(pipes);
  for (int i = 0; i < 500 && want > 0; i++) {
    int most = (int)l.rlim_max - 100; if (most > want) most = want;
    want -= most;
    if (fork() == 0) {
      int n = 0; while (n < most && open("/", O_PATH) >= 0) n++;
      write(pipes[1], &n, sizeof n);
      pause(); _exit(0);
    }
  }
  close(pipes[1]);
  long sum = 0; int n;
  for (int rest = atoi(argv[1]); sum < rest && read(pipes[0], &n, sizeof n) == sizeof n && n; ) sum += n;
  printf("%ld\\n", sum); fflush(stdout);
  sleep(1000);
}`;

test('a million descriptors', async ({ box, start, exec }) => {
  const id = await start('--init', ...asAttack(compile(OPEN)), 'busybox', '/attack', '1000000');
  const logs = box.start('logs', '-f', id);
  const count = await new Promise<string>(resolve =>
    logs.stdout?.once('data', bytes => resolve(String(bytes))),
  );
  logs.kill();
  assert.is(count, '1000000\n');
  assert.is((await exec(id, 'echo still here')).stdout, 'still here\n');
  assert.is((await box.ok('ps', '-q', '--no-trunc')).includes(id), true);
  assert.match(
    await box.ok('run', '--rm', '--network', 'none', 'busybox', 'cat', '/proc/sys/fs/file-nr'),
    /^\d{7,}/,
  );
  await box.ok('stop', '-t', '0', id);
});

test.run();
