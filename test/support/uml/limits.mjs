/**
 * The limits of containers against a real kernel. Runs inside User-mode Linux as a user to whom a control group is delegated; prints one
 * line of JSON for each check. A call of tsbox takes about a second there, so containers are shared between checks.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { match, runChecks, same } from './checks.mjs';

const TSBOX =
  process.env.TSBOX_TEST_BIN ?? fileURLToPath(new URL('../../../dist/tsbox.cjs', import.meta.url));
const HOME = '/mnt/home';
const DELEGATED = '/sys/fs/cgroup/user';
const MiB = 1024 * 1024;
const env = { ...process.env, TSBOX_RUNTIME_DIR: `${HOME}/run` };

/** In the order in which they run; the test file makes a test of each. */
export const CHECKS = {
  'processes that stand in the way move to a leaf': leaf,
  'the container sees its own subtree, with its limits': inside,
  'memory: not before the limit': below,
  'memory: killed at the limit, status 137 and a line on stderr': outOfMemory,
  'memory: inspect and events know the kill': knownKill,
  'cpus: within a tenth': processors,
  pids: processes,
  'disk: bytes a second': disk,
  'exec is in the same group': joined,
  'stats are the numbers of the kernel': counted,
  'pause freezes, unpause lets go on': frozen,
  'update changes a running container': updated,
  'update: all or nothing': refusedUpdate,
  'a controller that is not delegated is an error with a remedy': missing,
  'best effort: approximated, and said': bestEffort,
  'strict: groups and ids are there, this kernel has no Landlock, and nothing starts': strict,
  'kill leaves no group': killed,
  'the group of a supervisor that was killed goes with the next command': swept,
  'of several starts at once the group of one is left, and exec is in it': rivals,
  'a sandbox of the library has a group, too': warm,
  'nothing is left': empty,
};

const groupOf = name => tsbox('inspect', '-f', '{{.Tsbox.CgroupPath}}', name).stdout.trim();
const read = (group, file) => readFileSync(`${group}/${file}`, 'utf8').trim();
const field = (text, name) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
const groups = () =>
  readdirSync(DELEGATED).filter(name => name.startsWith('tsbox-') && name !== 'tsbox-leaf');
const NONE = ['--network', 'none'];

function leaf() {
  const before = readFileSync('/proc/self/cgroup', 'utf8');
  same(before, '0::/user\n');
  ok('run', '--rm', ...NONE, 'bb', 'true');
  same(readFileSync('/proc/self/cgroup', 'utf8'), '0::/user/tsbox-leaf\n');
}

function inside() {
  const script =
    'cat /proc/self/cgroup; cd /sys/fs/cgroup; cat memory.max memory.low memory.swap.max cpu.max cpu.weight pids.max io.max';
  const flags = [
    '-m',
    '64m',
    '--memory-reservation',
    '16m',
    '--memory-swap',
    '96m',
    '--cpu-period',
    '50000',
    '--cpu-quota',
    '40000',
  ];
  flags.push('-c', '512', '--pids-limit', '50', '--device-read-bps', '/dev/ubda:2mb');
  flags.push('--device-read-iops', '/dev/ubda:500', '--device-write-iops', '/dev/ubda:600');
  const said = ok('run', '--rm', ...NONE, ...flags, 'bb', 'sh', '-c', script);
  // This kernel has no swap: the file may be there or not.
  same(
    said.replace(/\n33554432\n/, '\n'),
    '0::/\n67108864\n16777216\n40000 50000\n59\n50\n98:0 rbps=2097152 wbps=max riops=500 wiops=600\n',
  );
}

function below() {
  ok('run', '--rm', ...NONE, '-m', '64m', 'bb', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=52M', 'count=1');
}

function outOfMemory() {
  const done = tsbox(
    'run',
    '--name',
    'oomy',
    ...NONE,
    '-m',
    '64m',
    'bb',
    'dd',
    'if=/dev/zero',
    'of=/dev/null',
    'bs=72M',
    'count=1',
  );
  same(done.status, 137);
  match(done.stderr, /the kernel killed a process for lack of memory, its limit is 64 MiB/);
}

function knownKill() {
  same(ok('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'oomy'), 'true 137\n');
  match(ok('events', '--since', '5m', '--until', '0s', '--filter', 'event=oom'), /container oom .*name=oomy/);
  ok('rm', 'oomy');
}

async function processors() {
  ok(
    'run',
    '-d',
    '--name',
    'busy',
    ...NONE,
    '--cpus',
    '0.3',
    '--cpu-weight',
    '77',
    '-m',
    '64m',
    'bb',
    'sh',
    '-c',
    'while :; do :; done',
  );
  const group = groupOf('busy');
  same(read(group, 'cpu.weight'), '77');
  const shares = [];
  // Too little may be this machine's doing, which gives its processor to others; too much is never.
  for (let share = 0; share < 0.27 && shares.length < 4; shares.push(share.toFixed(3))) {
    share = await shareOf(group);
    if (share > 0.33) throw new Error(`0.3 processors became ${share.toFixed(3)}`);
  }
  if (shares.at(-1) < 0.27) throw new Error(`0.3 processors became ${shares.join(', ')}`);
  return `share ${shares.join(', ')} of 0.3`;
}

/** Of one processor, in two and a half seconds. */
async function shareOf(group) {
  const usage = () => [field(read(group, 'cpu.stat'), 'usage_usec'), performance.now()];
  const [used, at] = usage();
  await delay(2500);
  const [after, later] = usage();
  return (after - used) / 1000 / (later - at);
}

function processes() {
  const script =
    'for i in 1 2 3 4 5 6 7 8 9; do sleep 3 & done; cat /sys/fs/cgroup/pids.peak /sys/fs/cgroup/pids.current';
  const done = tsbox('run', '--rm', ...NONE, '--pids-limit', '5', 'bb', 'sh', '-c', script);
  match(done.stderr, /can't fork/);
}

/** The disk of the store; direct writes, so that the page cache does not stand between. */
function disk() {
  const clock = 'read -r now rest </proc/uptime; echo $now';
  const write = `${clock}; dd if=/dev/zero of=/f bs=256k count=12 oflag=direct 2>&1; ${clock}`;
  // By the clock inside: starting a container takes longer than that here.
  const seconds = (...flags) => {
    const said = ok('run', '--rm', ...NONE, ...flags, 'bb', 'sh', '-c', write);
    match(said, /12\+0 records out/);
    const [from = '', ...lines] = said.trim().split('\n');
    return Number(lines.at(-1)) - Number(from);
  };
  const free = seconds();
  const slow = seconds('--device-write-bps', '/dev/ubda:1mb');
  if (!(slow - free > 1.8))
    throw new Error(
      `3 MiB at 1 MiB a second took ${slow.toFixed(1)} s, without a limit ${free.toFixed(1)} s`,
    );
  return `${(slow - free).toFixed(1)} s longer`;
}

function joined() {
  const group = groupOf('busy');
  ok('exec', '-d', 'busy', 'sleep', '100');
  same(ok('exec', 'busy', 'cat', '/proc/self/cgroup'), '0::/\n');
  same(read(group, 'cgroup.procs').split('\n').length, 2);
}

function counted() {
  const group = groupOf('busy');
  const [stats] = JSON.parse(`[${ok('stats', '--no-stream', '--format', 'json', 'busy').trim()}]`);
  const memory = Number(read(group, 'memory.current')) - field(read(group, 'memory.stat'), 'inactive_file');
  const [, amount, unit] = /^([\d.]+)(\w+) \/ 64MiB$/.exec(stats.MemUsage) ?? [];
  const shown = Number(amount) * { B: 1, KiB: 1024, MiB }[unit];
  if (Math.abs(shown - memory) > 0.2 * memory)
    throw new Error(`${stats.MemUsage}, the kernel says ${memory}`);
  same(`${stats.Source} ${stats.PIDs}`, `cgroup ${read(group, 'pids.current')}`);
  const share = Number.parseFloat(stats.CPUPerc);
  if (share < 15 || share > 45) throw new Error(`CPU ${stats.CPUPerc} of 30%`);
  return `${stats.MemUsage}, kernel ${memory}; CPU ${stats.CPUPerc}`;
}

async function frozen() {
  const group = groupOf('busy');
  ok('pause', 'busy');
  match(read(group, 'cgroup.events'), /^frozen 1$/m);
  const used = field(read(group, 'cpu.stat'), 'usage_usec');
  await delay(300);
  same(field(read(group, 'cpu.stat'), 'usage_usec'), used);
  ok('unpause', 'busy');
  match(read(group, 'cgroup.events'), /^frozen 0$/m);
}

function updated() {
  const group = groupOf('busy');
  ok('update', '-m', '128m', '--pids-limit', '-1', '--cpus', '0.1', 'busy');
  same(
    [read(group, 'memory.max'), read(group, 'pids.max'), read(group, 'cpu.max')].join(),
    `${128 * MiB},max,10000 100000`,
  );
  same(ok('inspect', '-f', '{{.HostConfig.Memory}}', 'busy'), `${128 * MiB}\n`);
}

function refusedUpdate() {
  const group = groupOf('busy');
  const done = tsbox('update', '--cpus', '0.2', '--cpuset-cpus', '0', 'busy');
  same(done.status, 1);
  match(done.stderr, /--cpuset-cpus cannot be enforced/);
  same(read(group, 'cpu.max'), '10000 100000');
}

function missing() {
  const done = tsbox('create', '--cpuset-cpus', '0', 'bb', 'true');
  same(done.status, 125);
  match(
    done.stderr,
    /controller cpuset is not delegated to \/sys\/fs\/cgroup\/user .*delegated: cpu io memory pids/,
  );
  match(done.stderr, /hint: .*cgroup\.subtree_control.*--limits best-effort/);
}

function bestEffort() {
  const flags = ['--limits', 'best-effort', '--cpuset-cpus', '0', '-m', '64m'];
  const done = tsbox('run', '-d', '--name', 'best', ...NONE, ...flags, 'bb', 'sleep', '100');
  match(done.stderr, /--cpuset-cpus is approximated: sched_setaffinity/);
  const limits = JSON.parse(ok('inspect', '-f', '{{json .Tsbox.Limits}}', 'best'));
  const told = Object.fromEntries(limits.map(each => [each.Flag, each.Status]));
  same(JSON.stringify(told), '{"--memory":"applied","--cpuset-cpus":"approximated"}');
}

function killed() {
  const group = groupOf('best');
  ok('kill', 'best');
  same(groups().length, 1);
  if (readdirSync(DELEGATED).includes(group.split('/').pop())) throw new Error('the group is there');
  ok('rm', 'best');
}

async function swept() {
  const pid = Number(ok('inspect', '-f', '{{.Tsbox.SupervisorPid}}', 'busy'));
  process.kill(pid, 'SIGKILL');
  await delay(200);
  same(groups().length, 1);
  ok('rm', 'busy');
  same(groups().length, 0);
}

async function rivals() {
  ok('create', '--name', 'both', ...NONE, '-m', '64m', 'bb', 'sleep', '100');
  const starts = [1, 2, 3].map(() => spawn(TSBOX, ['start', 'both'], { env, stdio: 'ignore' }));
  const statuses = await Promise.all(starts.map(each => once(each, 'exit')));
  same(statuses.map(([status]) => status).join(), '0,0,0');
  const group = groupOf('both');
  same(groups().join(), group.split('/').pop());
  ok('exec', '-d', 'both', 'sleep', '100');
  same(read(group, 'cgroup.procs').split('\n').length, 2);
  ok('rm', '-f', 'both');
}

async function warm() {
  const { Tsbox } = await import(new URL('../../../dist/index.js', import.meta.url).href);
  const library = await Tsbox.open({ runtimeDir: env.TSBOX_RUNTIME_DIR });
  const box = await library.sandbox({ image: 'bb', resources: { memory: 64 * MiB, pidsLimit: 20 } });
  const group = groupOf(box.name);
  same([read(group, 'memory.max'), read(group, 'pids.max')].join(), `${64 * MiB},20`);
  same(String((await box.exec(['cat', '/proc/self/cgroup'])).stdout), '0::/\n');
  const large = await box.exec(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=72M', 'count=1']);
  same(large.signal, 'SIGKILL');
  await box.close();
}

function strict() {
  const before = tsbox('ps', '-aq').stdout;
  const done = tsbox('run', '--rm', ...NONE, '--strict', 'bb', 'true');
  same(done.status, 125);
  match(done.stderr, /--strict: the second wall around the file system/);
  match(done.stderr, /lsm=/);
  if (/no control group|cannot limit|one user id/.test(done.stderr)) throw new Error(done.stderr);
  same(tsbox('ps', '-aq').stdout, before);
}

function empty() {
  same(groups().join(), '');
  same(readdirSync(`${HOME}/.local/share/tsbox/groups`).join(), '');
}

function tsbox(...args) {
  const done = spawnSync(TSBOX, args, { encoding: 'utf8', env, timeout: 60_000 });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

function ok(...args) {
  const { status, stdout, stderr } = tsbox(...args);
  if (status !== 0) throw new Error(`tsbox ${args.join(' ')}: status ${status}: ${stderr}`);
  return stdout;
}

/** A tree with busybox alone, as an archive. */
function importBusybox() {
  const tree = `${HOME}/tree`;
  mkdirSync(`${tree}/bin`, { recursive: true });
  writeFileSync(`${tree}/bin/busybox`, readFileSync('/bin/busybox'), { mode: 0o755 });
  for (const name of ['sh', 'cat', 'dd', 'sleep', 'true']) symlinkSync('busybox', `${tree}/bin/${name}`);
  spawnSync('tar', ['-C', tree, '-cf', `${HOME}/bb.tar`, '.']);
  ok('import', `${HOME}/bb.tar`, 'bb');
}

async function main() {
  const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);
  importBusybox();
  await runChecks(CHECKS, say);
  say({ name: 'end', ok: true, note: ok('doctor').match(/.*Control groups.*/)?.[0], ms: 0 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
