/**
 * --strict where nothing is missing. Runs in a virtual machine as a user with subordinate ids to whom a control group is delegated, on a kernel with
 * Landlock; prints one line of JSON for each check.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { match, runChecks, same } from '../uml/checks.mjs';

const TSBOX = '/suite/dist/tsbox.cjs';
const HOME = '/home/u';
const env = { ...process.env, TSBOX_RUNTIME_DIR: `${HOME}/run` };
const RUN = ['run', '--rm', '--network', 'none'];

/** In the order in which they run; the test file makes a test of each. */
export const CHECKS = {
  'a container starts with --strict': starts,
  'every wall stands in it': walls,
  'its limits are those of the kernel': limits,
  'exec is behind Landlock, too': landlocked,
  'without --strict exec may open the files of pid 1': open,
  'what a flag gives away is refused here as well': refused,
  'nothing that doctor --isolation tries works': tried,
  'names of a layer that are one where case is folded lead nowhere': folded,
};

function starts() {
  same(ok(...RUN, '--strict', 'bb', 'echo', 'hello'), 'hello\n');
}

function walls() {
  const look =
    'grep -E "^(CapInh|CapBnd|CapEff|NoNewPrivs|Seccomp):" /proc/self/status; cat /proc/sys/user/max_user_namespaces /proc/self/uid_map; grep core /proc/self/limits; cat /proc/keys; echo x > /proc/sysrq-trigger';
  const said = ok(...RUN, '--strict', 'bb', 'sh', '-c', `${look}; true`);
  for (const pattern of [
    /^CapInh:\t0{16}$/m,
    /^CapEff:\t00000000a80425fb$/m,
    /^CapBnd:\t00000000a80425fb$/m,
    /^NoNewPrivs:\t1$/m,
    /^Seccomp:\t2$/m,
    /^0$/m,
    /^ +1 +100000 +65536$/m,
    /^Max core file size +1 +1 /m,
  ])
    match(said, pattern);
  if (/^[0-9a-f]{8} /m.test(said)) throw new Error('keys can be seen');
}

function limits() {
  const flags = ['-m', '64m', '--pids-limit', '20', '--cpus', '0.5'];
  const look =
    'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max; while sh -c "sleep 9 &" 2>/dev/null; do :; done; cat pids.current';
  const said = ok(...RUN, '--strict', ...flags, 'bb', 'sh', '-c', look).split('\n');
  same(said.slice(0, 3).join(), '67108864,20,50000 100000');
  if (Number(said[3]) > 20) throw new Error(said[3]);
}

/** A shell of the container writes to the standard output of pid 1 through /proc. */
const reach = (...flags) => {
  const id = ok('run', '-d', '--network', 'none', ...flags, 'bb', 'sleep', '1000').trim();
  const done = tsbox('exec', id, 'sh', '-c', 'echo reached > /proc/1/fd/1');
  ok('rm', '-f', id);
  return done;
};

function landlocked() {
  const done = reach('--strict');
  same(done.status, 1);
  match(done.stderr, /Permission denied/);
}

function open() {
  same(reach().status, 0);
}

function refused() {
  const done = tsbox(...RUN, '--strict', '--privileged', 'bb', 'true');
  same(done.status, 125);
  match(done.stderr, /--privileged gives a wall away$/m);
}

function tried() {
  const { stdout, stderr } = tsbox('doctor', '--isolation', '--json');
  if (!stdout.startsWith('[')) throw new Error(stderr);
  const open = JSON.parse(stdout).filter(check => check.status === 'fail');
  if (open.length > 0) throw new Error(JSON.stringify(open));
}

/** CVE-2026-23950: a link under one spelling of its name, what is to be written through it under another. */
function folded() {
  const canary = `${HOME}/canary`;
  mkdirSync(canary);
  writeFileSync(`${canary}/file`, 'untouched');
  writeFileSync('/folding/dir/Stra\u00dfe', 'one');
  same(readFileSync('/folding/dir/STRASSE', 'utf8'), 'one');
  for (const name of readdirSync('/evil')) {
    const done = tsbox('--root', '/folding/dir/store', 'load', '-i', `/evil/${name}`);
    if (done.status !== 0) match(done.stderr, /^tsbox: /m);
    same(readdirSync(canary).join(), 'file');
    same(readFileSync(`${canary}/file`, 'utf8'), 'untouched');
    same(statSync(`${canary}/file`).nlink, 1);
  }
}

function tsbox(...args) {
  const done = spawnSync(TSBOX, args, { encoding: 'utf8', env, timeout: 120_000 });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

function ok(...args) {
  const { status, stdout, stderr } = tsbox(...args);
  if (status !== 0) throw new Error(`tsbox ${args.join(' ')}: status ${status}: ${stderr}`);
  return stdout;
}

async function main() {
  const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);
  ok('load', '-i', '/bb.tar');
  await runChecks(CHECKS, say);
  say({ name: 'end', ok: true, note: readFileSync('/proc/version', 'utf8').slice(0, 30), ms: 0 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
