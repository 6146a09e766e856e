// run as: self, ranges, single
import { spawn, spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { within } from '../support/within.ts';
import { HELPER } from './harness.ts';

/** What the helper does for the start-up script, seen from the program that it becomes. */
const test = requires(suite('helper boot'), 'userns');

const boot = (...program: string[]) =>
  spawnSync(HELPER, ['boot', 'supervise', ...program], { encoding: 'utf8', timeout: 20_000 });

test('it becomes the program, with its arguments, status and process id', async () => {
  const child = spawn(HELPER, ['boot', 'join', 'sh', '-c', 'echo $$; exit 7'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', chunk => {
    said += String(chunk);
  });
  const status = await within(10_000, new Promise(resolve => child.once('close', resolve)));
  assert.is(status, 7);
  assert.is(said, `${child.pid}\n`);
});

test('two sockets and the pid of a child that waits', () => {
  const script = `set -- $TSBOX_BOOT; echo $#; test "$1" = supervise
    readlink /proc/$$/fd/$2 /proc/$$/fd/$3 | cut -c1-7; sed -n 's/^PPid:\\t//p' /proc/$4/status | grep -qx $$ && echo child`;
  const { stdout, status } = boot('sh', '-c', script);
  assert.is(stdout, '4\nsocket:\nsocket:\nchild\n');
  assert.is(status, 0);
});

test('when the program ends without a request the child ends, silently', () => {
  const { stdout, stderr } = boot('sh', '-c', 'set -- $TSBOX_BOOT; echo $4');
  assert.is(stderr, '');
  const gone = spawnSync(HELPER, ['wait', stdout.trim(), '1', '5000'], { timeout: 10_000 });
  assert.is(gone.status, 0);
});

test('a program that is not there: 127 and one line', () => {
  const { status, stderr } = boot('/no/such/program');
  assert.is(status, 127);
  assert.match(stderr, /^\/no\/such\/program: No such file or directory\n$/);
});

test('descriptors 3 and 4 of the caller stay his', () => {
  const line = `exec 3</dev/zero 4</dev/null; exec ${HELPER} boot supervise sh -c 'readlink /proc/$$/fd/3 /proc/$$/fd/4'`;
  const { stdout } = spawnSync('sh', ['-c', line], { encoding: 'utf8', timeout: 20_000 });
  assert.is(stdout, '/dev/zero\n/dev/null\n');
});

test.run();
