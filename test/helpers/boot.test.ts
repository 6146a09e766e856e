// run as: self, ranges, single
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { within } from '../support/within.ts';
import { frame, HELPER, type Rec } from './harness.ts';

/** What the helper does for the start-up script, seen from the program that it becomes. */
const test = requires(suite('helper boot'), 'userns');
const directory = mkdtempSync(join(tmpdir(), 'boot-'));
test.after(() => rmSync(directory, { recursive: true, force: true }));

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

const children = 'cat /proc/$4/task/$4/children';

/** A model that needs no id of the machine: namespaces of one user. */
function model(...records: Rec[]): string {
  const path = join(directory, `model${records.length}`);
  const mapped = ['uid', 'gid'].map(kind => [`${kind}map`, 0, process.getuid?.() ?? 0, 1]);
  const head = [
    ['version', 1],
    ['id', 'early'],
    ['cwd', '/'],
    ['early', 'word'],
    ['clone', 0x10020000],
  ];
  writeFileSync(path, frame([...head, ...mapped, ['setgroups', 'deny'], ...records]), { mode: 0o600 });
  return path;
}

const bootWith = (path: string, script: string) =>
  spawnSync(HELPER, ['boot', 'supervise', 'sh', '-c', `set -- $TSBOX_BOOT; ${script}`], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, TSBOX_EARLY: path },
  });

const untilChild = `n=0; while [ -z "$(${children})" ] && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done;`;

test('with a model there is a first process, in namespaces of its own, before any request', () => {
  const script = `${untilChild} test "$(readlink /proc/$$/ns/user)" != "$(readlink /proc/$(${children})/ns/user)" && echo own
    echo "$TSBOX_EARLY"; ${children}`;
  const { stdout } = bootWith(model(), script);
  const [own, variable, child] = stdout.split('\n');
  assert.is(own, 'own');
  assert.is(variable, '', 'the program must not see the variable');
  const gone = spawnSync(HELPER, ['wait', String(child).trim(), '1', '5000'], { timeout: 10_000 });
  assert.is(gone.status, 0, 'without a request it goes with the program');
});

test('its services run, too, and end with the program', () => {
  const marker = join(directory, 'alive');
  const loop = `while :; do : > ${marker}; sleep 0.05; done`;
  const service = [
    ['service', 'loop', 'early'],
    ['exec', '/bin/sh', 'sh', '-c', loop],
  ];
  const { stdout } = bootWith(
    model(...service),
    `n=0; while [ ! -e ${marker} ] && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done; ${children}`,
  );
  assert.is(stdout.trim().split(' ').length, 2);
  assert.ok(existsSync(marker));
  rmSync(marker);
  spawnSync('sleep', ['0.3']);
  assert.not(existsSync(marker), 'it goes on');
});

for (const [what, spoil] of [
  ['is cut off', (path: string) => truncateSync(path, 40)],
  ['may be written by others', (path: string) => chmodSync(path, 0o666)],
  ['is not there', (path: string) => rmSync(path)],
] as const) {
  test(`a model that ${what} is none`, () => {
    const path = model();
    spoil(path);
    const { stdout, stderr, status } = bootWith(path, `sleep 0.3; ${children}; echo "[$4]"`);
    assert.match(stdout, /^\[\d+\]\n$/);
    assert.is(stderr, '');
    assert.is(status, 0);
  });
}

test.run();
