import * as assert from 'uvu/assert';
import { asAttack, compile } from '../support/attack-program.ts';
import { escapeSuite } from '../support/escape.ts';
import { note } from '../support/note.ts';

/** Processes without end. What bounds them is a limit of a control group, and one that cannot be enforced is refused. */
const test = escapeSuite(['fork bomb with a pids limit'], { drivers: 'any', needs: ['cc'] });

const BOMB = `#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int most = atoi(argv[1]), n = 0;
  for (; n < most; n++) { pid_t p = fork(); if (p < 0) break; if (p == 0) pause(); }
  printf("%d\\n", n); fflush(stdout);
  return 0;
}`;

test('--pids-limit: it ends there, or is refused', async ({ run }) => {
  const bomb = asAttack(compile(BOMB));
  const done = await run('--pids-limit', '50', ...bomb, 'busybox', '/attack', '500');
  if (done.code === 0) assert.ok(Number(done.stdout) < 50, done.stdout);
  else {
    assert.is(done.code, 125);
    assert.match(done.stderr, /pids-limit|cgroup/);
    assert.is(done.stdout, '', 'nothing was started without its limit');
    note('no pids controller for this user here: the limit is refused');
  }
});

test('what a bomb has made is gone with its container', async ({ run }) => {
  const before = Date.now();
  const done = await run(
    '--ulimit',
    'nproc=100000',
    ...asAttack(compile(BOMB)),
    'busybox',
    '/attack',
    '1000',
  );
  assert.is(done.stdout, '1000\n');
  assert.ok(Date.now() - before < 20_000);
});

test.run();
