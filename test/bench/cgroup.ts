import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TSBOX } from '../support/cli.ts';
import type { Scene } from './cases.ts';
import { call, type Env, type Medians, measure } from './measure.ts';

/** Milliseconds that a group may add to `run`. */
const TARGETS: Readonly<Record<string, number>> = { cgroupfs: 1, systemd: 8 };
const NONE = 'none';

/**
 * What joining a control group adds to `run`: each driver beside `none`, in turn, each with a store of its own, since what is made early is remembered there.
 * Below test/bench/cgroup-v2.sh, which root's `npm run bench -- cgroup` starts; elsewhere only the drivers that the machine has.
 */
export async function cgroupRows(scene: Scene): Promise<string[]> {
  const drivers = [NONE, ...Object.keys(TARGETS)];
  const envs = new Map(drivers.map(driver => [driver, envFor(scene.env, driver)]));
  const there: string[] = [];
  for (const [driver, env] of envs) if ((await driverOf(env, scene.busybox)) === driver) there.push(driver);
  const programs = new Map([['', TSBOX], ...(scene.exe === undefined ? [] : [[SUFFIX, scene.exe] as const])]);
  const rows = [...programs].flatMap(([suffix, program]) =>
    there.map(driver => ({ driver, suffix, program })),
  );
  const run = (program: string, env: Env) => async () =>
    void (await call(env, program, 'run', '--rm', '--network', 'none', scene.busybox, 'true'));
  const node = { run: async () => void (await call(scene.env, 'node', '-e', '0')) };
  const tools = rows.map(({ driver, suffix, program }) => [
    driver + suffix,
    { run: run(program, envs.get(driver) ?? scene.env) },
  ]);
  const times = await measure({ name: 'cgroup', rounds: 25, tools: { ...Object.fromEntries(tools), node } });
  return [
    '| `run --rm --network none` of `true` | median, ms | adds, ms | target |',
    '| --- | ---: | ---: | --- |',
    ...rows.map(({ driver, suffix }) => groupRow(driver, suffix, times)),
    '',
    `an empty program of Node: ${times.node?.toFixed(1)} ms`,
  ];
}

const SUFFIX = ', single file';

function groupRow(driver: string, suffix: string, times: Medians): string {
  const median = times[driver + suffix] ?? Number.NaN;
  const adds = median - (times[NONE + suffix] ?? Number.NaN);
  const target = TARGETS[driver] ?? 0;
  const cells = driver === NONE ? ' | ' : `${adds.toFixed(1)} | ≤ ${target} ${adds <= target ? '✓' : '✗'}`;
  return `| ${driver}${suffix} | ${median.toFixed(1)} | ${cells} |`;
}

function envFor(env: Env, driver: string): Env {
  const dir = join(env.HOME ?? '', `cgroup-${driver}`);
  mkdirSync(join(dir, 'config/tsbox'), { recursive: true });
  mkdirSync(join(dir, 'run'), { mode: 0o700 });
  writeFileSync(join(dir, 'config/tsbox/config.toml'), `[cgroup]\ndriver = "${driver}"\n`);
  const own = { TSBOX_ROOT: join(dir, 'root'), TSBOX_RUNTIME_DIR: join(dir, 'run') };
  return { ...env, ...own, XDG_CONFIG_HOME: join(dir, 'config') };
}

/** The one that a container really has. */
async function driverOf(env: Env, image: string): Promise<string> {
  await call(env, TSBOX, 'run', '-d', '--network', 'none', '--name', 'which', image, 'sleep', '1000');
  const driver = await call(env, TSBOX, 'inspect', '-f', '{{.Tsbox.CgroupDriver}}', 'which');
  await call(env, TSBOX, 'rm', '-f', 'which');
  return driver;
}
