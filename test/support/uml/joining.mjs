/**
 * What a control group adds to `run`, with real controllers. Runs inside User-mode Linux as a user to whom a group is delegated; prints one line of JSON. A
 * system call costs 14 us there and a fork 12 ms, and there is one processor: nothing happens beside Node's start.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runChecks } from './checks.mjs';

const TSBOX =
  process.env.TSBOX_TEST_BIN ?? fileURLToPath(new URL('../../../dist/tsbox.cjs', import.meta.url));
const HOME = '/mnt/home';
const ROUNDS = 15;
const DRIVERS = ['none', 'cgroupfs'];

export const CHECKS = { 'cgroupfs beside none, in turn': joining };

function joining() {
  for (const driver of DRIVERS) prepare(driver);
  const times = Object.fromEntries(DRIVERS.map(driver => [driver, []]));
  for (let round = 0; round <= ROUNDS; round++)
    for (const driver of DRIVERS) {
      const from = performance.now();
      tsbox(driver, 'run', '--rm', '--network', 'none', 'bb', 'true');
      if (round > 0) times[driver].push(performance.now() - from);
    }
  const [none, cgroupfs] = DRIVERS.map(driver => times[driver].sort((a, b) => a - b)[ROUNDS >> 1]);
  return `none ${none.toFixed(0)} ms, cgroupfs ${cgroupfs.toFixed(0)} ms: ${(cgroupfs - none).toFixed(1)} ms, ${((100 * (cgroupfs - none)) / none).toFixed(1)} %`;
}

/** A store of its own: what is made early is remembered there. */
function prepare(driver) {
  const dir = `${HOME}/${driver}`;
  mkdirSync(`${dir}/config/tsbox`, { recursive: true });
  writeFileSync(`${dir}/config/tsbox/config.toml`, `[cgroup]\ndriver = "${driver}"\n`);
  mkdirSync(`${dir}/tree/bin`, { recursive: true });
  writeFileSync(`${dir}/tree/bin/busybox`, readFileSync('/bin/busybox'), { mode: 0o755 });
  symlinkSync('busybox', `${dir}/tree/bin/true`);
  spawnSync('tar', ['-C', `${dir}/tree`, '-cf', `${dir}/bb.tar`, '.']);
  tsbox(driver, 'import', `${dir}/bb.tar`, 'bb');
}

function tsbox(driver, ...args) {
  const dir = `${HOME}/${driver}`;
  const own = {
    TSBOX_ROOT: `${dir}/root`,
    TSBOX_RUNTIME_DIR: `${dir}/run`,
    XDG_CONFIG_HOME: `${dir}/config`,
  };
  const done = spawnSync(TSBOX, args, { encoding: 'utf8', env: { ...process.env, ...own }, timeout: 60_000 });
  if (done.status !== 0) throw new Error(`tsbox ${args.join(' ')}: status ${done.status}: ${done.stderr}`);
}

async function main() {
  const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);
  await runChecks(CHECKS, say);
  say({ name: 'end', ok: true, note: '', ms: 0 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
