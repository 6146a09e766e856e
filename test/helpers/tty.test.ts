// run as: self, ranges, single
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { eventually, within } from '../support/within.ts';
import * as h from './harness.ts';

const test = requires(suite('helper tty'), 'userns', 'busybox', 'script');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tsbox-ht-'));

test.before(() => h.busyboxTree(path.join(dir, 'rootfs')));
test.after(() => fs.rmSync(dir, { recursive: true, force: true }));

/** A front whose descriptors 0 to 2 are a terminal (made by script(1)); before and after it, stty tells the mode. */
class Screen {
  readonly child: ChildProcess;
  readonly exit: Promise<number>;
  text = '';

  constructor(records: h.Rec[], role = 'supervise', args = h.ID, keepFd4 = true) {
    const fd4 = keepFd4 ? '' : '4>&-';
    const run = `${h.HELPER} ${role} ${args} ${fd4}`;
    const script = `stty rows 24 cols 80; echo "tty=$(tty)="; stty -g > ${dir}/before; ${run}; s=$?; stty -g > ${dir}/after; exit $s`;
    this.child = spawn('script', ['-qefc', script, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    for (const s of this.child.stdio) s?.on('error', () => {});
    this.child.stdout?.on('data', d => {
      this.text += d.toString().replaceAll('\r', '');
    });
    this.exit = new Promise(resolve => this.child.once('exit', status => resolve(status ?? -1)));
    if (records.length) (this.child.stdio[3] as Duplex).write(h.frame(records));
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  async sees(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(10_000, `${pattern}`, () => pattern.exec(this.text) ?? undefined).catch(e => {
      throw new Error(`${e.message}; it shows ${JSON.stringify(this.text)}`);
    });
  }

  async tty(): Promise<string> {
    return (await this.sees(/tty=(\S+)=/))[1] ?? '';
  }

  /** The terminal is as it was. */
  restored(): void {
    const read = (n: string) => fs.readFileSync(path.join(dir, n), 'utf8');
    assert.is(read('after'), read('before'));
  }
}

const KEYS = Buffer.from([16, 17]);
let states = 0;
/** A file of its own for each: the supervisor of an ended one may still be writing. */
const stateFile = (): string => `state-${states++}.json`;
/** The first words of a command may be on the screen before the supervisor has written that it runs. */
const stateOf = (name: string): Promise<{ pid: number; supervisor: number }> =>
  eventually(10_000, name, () => {
    const file = path.join(dir, name);
    return fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8'));
  });

const plan = (script: string, ...head: h.Rec[]): h.Rec[] => [
  ...h.header(dir, ['front', 'ioe'], ['stdin', 'open'], ['tty', 24, 80], ['detachkeys', KEYS], ...head),
  ['plan', 'init'],
  ...h.rootPlan(true),
  h.env,
  h.sh(script),
];

test('raw mode: the container echoes, Ctrl-C and Ctrl-D are its own, the mode is restored', async () => {
  const screen = new Screen(plan('trap "echo int" INT; echo up; cat; read x; echo "end $x"'));
  await screen.sees(/up\n/);
  const mode = spawnSync('stty', ['-F', await screen.tty(), '-a'], { encoding: 'utf8' }).stdout;
  assert.match(mode, /-isig -icanon/);
  assert.match(mode, /-echo /);
  screen.type('hello\r');
  await screen.sees(/hello\nhello\n/);
  screen.type('\x03');
  await screen.sees(/\^Cint\n/);
  screen.type('last\r');
  assert.is(await within(10_000, screen.exit), 0);
  assert.match(screen.text, /end last\n/);
  screen.restored();
});

test('the size comes at the start and follows the window', async () => {
  const screen = new Screen(
    plan('trap "stty size" WINCH; echo up; while :; do read x && break; done; stty size'),
  );
  await screen.sees(/up\n/);
  spawnSync('stty', ['-F', await screen.tty(), 'rows', '33', 'cols', '101']);
  await screen.sees(/33 101\n/);
  screen.type('\r');
  assert.is(await within(10_000, screen.exit), 0);
});

test('detach keys: a half sequence is passed on, a whole one leaves; attach comes back', async () => {
  const screen = new Screen(
    plan(
      'echo up; while read -r x; do echo "<$x>"; done; exit 5',
      ['socket', 'sock'],
      ['state', 'state.json'],
    ),
  );
  let said = '';
  (screen.child.stdio[3] as Duplex).on('data', d => {
    said += d.toString('latin1');
  });
  await screen.sees(/up\n/);
  screen.type('a\x10b\r');
  await screen.sees(/<a.{1,2}b>/);
  screen.type('left\r\x10');
  await screen.sees(/<left>/);
  screen.type('\x11');
  assert.is(await within(10_000, screen.exit), 0);
  assert.match(said, /detached/);
  screen.restored();
  const { pid } = await stateOf('state.json');
  process.kill(pid, 0);
  const again = new Screen([], 'attach', `${h.ID} ${dir}/sock ioe 1011`);
  await again.tty();
  await eventually(10_000, 'raw mode', () =>
    spawnSync('stty', ['-F', /tty=(\S+)=/.exec(again.text)?.[1] ?? '', '-a'], {
      encoding: 'utf8',
    }).stdout.includes('-icanon'),
  );
  again.type('back\r');
  await again.sees(/<back>/);
  again.type('\x04');
  assert.is(await within(10_000, again.exit), 5);
  again.restored();
});

const ends: readonly [name: string, end: (screen: Screen, supervisor: number) => void][] = [
  ['the parent dies', s => (s.child.stdio[4] as Duplex).end()],
  ['the supervisor is killed', (_, supervisor) => process.kill(supervisor, 'SIGKILL')],
];

for (const [name, end] of ends) {
  test(`the mode is restored when ${name}`, async () => {
    const state = stateFile();
    const screen = new Screen(plan('echo up; sleep 995', ['state', state]));
    await screen.sees(/up\n/);
    const { pid, supervisor } = await stateOf(state);
    end(screen, supervisor);
    await within(10_000, screen.exit);
    screen.restored();
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // gone with its supervisor
  });
}

test('the mode is restored by SIGTERM where nobody forwards signals', async () => {
  const state = stateFile();
  const screen = new Screen(plan('echo up; sleep 994', ['state', state]), 'supervise', h.ID, false);
  await screen.sees(/up\n/);
  const { pid } = await stateOf(state);
  for (const p of h.processesWith(`front ${h.ID}`)) process.kill(p, 'SIGTERM');
  assert.is(await within(10_000, screen.exit), 143);
  screen.restored();
  process.kill(pid, 'SIGKILL');
});

test('the terminal is one of the container alone: no descriptor leads to the outer one (CVE-2017-5226)', async () => {
  const screen = new Screen(plan('tty; ls -l /proc/self/fd 2>&1 | grep -o "[0-9] ->.*"; ls /dev/pts'));
  assert.is(await within(10_000, screen.exit), 0);
  assert.match(screen.text, /\/dev\/pts\/0\n0 -> \/dev\/pts\/0\n1 -> pipe:\S+\n2 -> pipe:\S+\n0 +ptmx\n/);
});

test('all of a long output arrives, and /dev/console is the terminal', async () => {
  const screen = new Screen(plan('seq 100000; echo console > /dev/console'));
  assert.is(await within(20_000, screen.exit), 0);
  await screen.sees(/100000\nconsole\n/);
  const want = Array.from({ length: 100_000 }, (_, i) => i + 1).join('\n');
  assert.ok(screen.text.includes(`\n${want}\n`));
});

test('a terminal without a terminal: the end of a pipe is the end of file', async () => {
  const run = new h.Run('supervise', plan('cat; echo end'));
  run.child.stdin?.end('typed\nrest');
  assert.is(await within(10_000, run.exit), 0);
  assert.match(run.stdout.toString(), /^typed\r\n.*rest.*end\r\n$/s);
});

test.run();
