/**
 * Limits under a real systemd with a real user manager. Runs inside User-mode Linux as root's service and calls tsbox as a normal user from
 * the places that differ: a service or cron job outside of any session, a login, a service of the user. One line of JSON for each check.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { match, runChecks, same } from './checks.mjs';

const [, , TSBOX = '', CONSOLE = '1'] = process.argv;
const UID = 4242;
const HOME = '/mnt/home';
const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
const MANAGER = `/sys/fs/cgroup/user.slice/user-${UID}.slice/user@${UID}.service`;

/** In the order in which they run; the test file makes a test of each. */
export const CHECKS = {
  'outside of any session: a scope of the user manager': outside,
  'from a login, whose own scope is root’s': login,
  'from a service of the user': service,
  'the container sees its own subtree, with its limits': inside,
  'memory: killed at the limit, and nothing beside it': outOfMemory,
  'a container outlives the login, and is joined from elsewhere': joined,
  'pause, update and stats work on the scope': controlled,
  'a controller that is not delegated: the error names the drop-in': missing,
  '--cgroup-parent is a slice': slice,
  'a supervisor that was killed leaves no scope': killed,
  'restarts get a scope of their own': restarted,
};

/** Words of a shell, quoted. */
const quoted = words => words.map(word => `'${word}'`).join(' ');
const run = (program, args, env = {}) => {
  const done = spawnSync(program, args, { encoding: 'utf8', env: { PATH, ...env }, timeout: 60_000 });
  return { status: done.status, stdout: done.stdout ?? '', stderr: done.stderr ?? '' };
};
const IDS = ['--reuid', String(UID), '--regid', String(UID), '--init-groups'];
/** Neither XDG_RUNTIME_DIR nor a bus address, as in cron. */
const cron = (...args) => run('setpriv', [...IDS, TSBOX, ...args], { HOME });
const viaLogin = (...args) => run('su', ['-l', 'lim', '-c', `PATH=${PATH} ${quoted([TSBOX, ...args])}`]);
const viaService = (...args) =>
  run(
    'setpriv',
    [...IDS, 'systemd-run', '--user', '--pipe', '--wait', '-q', '-E', `PATH=${PATH}`, TSBOX, ...args],
    {
      HOME,
      XDG_RUNTIME_DIR: `/run/user/${UID}`,
    },
  );
const NONE = ['--network', 'none'];
const LIMITS = ['-m', '64m', '--pids-limit', '50'];
const show = (name, template) => ok(cron('inspect', '-f', template, name)).trim();
const read = (group, file) => readFileSync(`${group}/${file}`, 'utf8').trim();

/** A container that is started there, looked at, and removed: its scope goes with it. */
function scope(call) {
  ok(call('run', '-d', '--name', 'one', ...NONE, ...LIMITS, 'bb', 'sleep', '1000'));
  const [driver, group] = show('one', '{{.Tsbox.CgroupDriver}} {{.Tsbox.CgroupPath}}').split(' ');
  match(group, new RegExp(`^${MANAGER}/.*/tsbox-[0-9a-f]{16}-\\w+\\.scope/container$`));
  same(driver, 'systemd');
  same(read(group, 'memory.max'), '67108864');
  ok(cron('rm', '-f', 'one'));
  gone(group);
}

function gone(group) {
  const from = performance.now();
  while (existsSync(group) && performance.now() - from < 15_000) spawnSync('sleep', ['0.1']);
  if (existsSync(group)) throw new Error(`${group} is there`);
}

function outside() {
  scope(cron);
}

function login() {
  const said = run('su', ['-l', 'lim', '-c', 'cat /proc/self/cgroup']);
  match(said.stdout, /session-\w+\.scope/);
  scope(viaLogin);
}

function service() {
  scope(viaService);
}

function inside() {
  const script =
    'cat /proc/self/cgroup; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max';
  const said = ok(cron('run', '--rm', ...NONE, ...LIMITS, '--cpus', '0.5', 'bb', 'sh', '-c', script));
  same(said, '0::/\n67108864\n50\n50000 100000\n');
}

function outOfMemory() {
  const eat = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=90M count=1; echo after $?'];
  const done = cron('run', '--rm', '--name', 'oomy', ...NONE, '-m', '64m', 'bb', ...eat);
  match(done.stdout, /^after 137$/m);
  match(done.stderr, /the kernel killed a process for lack of memory/);
}

/** The group of the container `web`, which several checks share. */
let web = '';

function joined() {
  ok(viaLogin('run', '-d', '--name', 'web', ...NONE, ...LIMITS, 'bb', 'sleep', '1000'));
  web = show('web', '{{.Tsbox.CgroupPath}}');
  for (const call of [cron, viaLogin, viaService])
    same(ok(call('exec', 'web', 'cat', '/proc/self/cgroup')), '0::/\n');
  ok(cron('exec', '-d', 'web', 'sleep', '1000'));
  same(read(web, 'cgroup.procs').split('\n').length, 2);
}

function controlled() {
  ok(cron('pause', 'web'));
  match(read(web, 'cgroup.events'), /^frozen 1$/m);
  ok(viaLogin('unpause', 'web'));
  ok(cron('update', '-m', '128m', 'web'));
  same(read(web, 'memory.max'), '134217728');
  match(ok(cron('stats', '--no-stream', '--format', '{{.Source}} {{.PIDs}}', 'web')), /^cgroup 2$/m);
}

function missing() {
  const done = cron('create', ...NONE, '--device-read-bps', '/dev/ubda:1mb', 'bb', 'true');
  same(done.status, 125);
  match(
    done.stderr,
    /controller io is not delegated to .*user@4242\.service \(systemd; delegated: .*memory pids/,
  );
  match(
    done.stderr,
    /Delegate=cpu cpuset io memory pids into \/etc\/systemd\/system\/user@\.service\.d\/delegate\.conf/,
  );
}

function slice() {
  ok(
    cron(
      'run',
      '-d',
      '--name',
      'two',
      ...NONE,
      '--cgroup-parent',
      'user-builds.slice',
      'bb',
      'sleep',
      '1000',
    ),
  );
  match(
    show('two', '{{.Tsbox.CgroupPath}}'),
    /\/user\.slice\/user-builds\.slice\/tsbox-.*\.scope\/container$/,
  );
  ok(cron('rm', '-f', 'two'));
}

function killed() {
  process.kill(Number(show('web', '{{.Tsbox.SupervisorPid}}')), 'SIGKILL');
  gone(web);
  ok(cron('rm', 'web'));
}

function restarted() {
  ok(cron('run', '-d', '--name', 'again', ...NONE, ...LIMITS, '--restart', 'always', 'bb', 'sleep', '1000'));
  const look = () => show('again', '{{.State.Pid}} {{.Tsbox.CgroupPath}}').split(' ');
  const [pid, group] = look();
  process.kill(Number(pid), 'SIGKILL');
  gone(group);
  let [next, path = ''] = look();
  for (const from = performance.now(); path === '' && performance.now() - from < 30_000; )
    [next, path = ''] = look();
  if (path === group || path === '' || next === pid) throw new Error(`after ${group}: ${next} ${path}`);
  ok(cron('rm', '-f', 'again'));
}

function ok({ status, stdout, stderr }) {
  if (status !== 0) throw new Error(`status ${status}: ${stdout} ${stderr}`);
  return stdout;
}

async function main() {
  const say = line => writeSync(Number(CONSOLE), `${JSON.stringify(line)}\n`);
  ok(cron('import', '/mnt/bb.tar', 'bb'));
  await runChecks(CHECKS, say);
  const doctor = cron('doctor').stdout.match(/.*Control groups.*(\n.*->.*)?/)?.[0] ?? '';
  say({ name: 'end', ok: true, note: doctor, ms: Math.round(performance.now()) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
