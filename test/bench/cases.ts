import { TSBOX } from '../support/cli.ts';
import { buildCases } from './build-cases.ts';
import { imageCases } from './image-cases.ts';
import { type Case, call, type Env, SINGLE, type Work } from './measure.ts';
import type { Peers } from './peers.ts';

export interface Scene {
  readonly env: Env;
  readonly peers: Peers;
  /** The single-file executable, if it has been built. */
  readonly exe: string | undefined;
  /** Names of the images in the registry. */
  readonly busybox: string;
  readonly debian: string | undefined;
  /** Debian and four layers of 15 MB on it. */
  readonly fiveLayers: string | undefined;
}

const NONE = ['--network', 'none'];

/** The same words for tsbox and podman. */
function both(scene: Scene, ...args: string[]): Record<string, Work> {
  const tools: Record<string, Work> = {
    tsbox: { run: async () => void (await call(scene.env, TSBOX, ...args)) },
  };
  if (scene.peers.podman) tools.podman = { run: async () => void (await call(scene.env, 'podman', ...args)) };
  return tools;
}

/** With the single-file executable, for what is short enough that the start of the program counts. */
function quick(scene: Scene, ...args: string[]): Record<string, Work> {
  const { exe } = scene;
  if (exe === undefined) return both(scene, ...args);
  return {
    [SINGLE]: { run: async () => void (await call(scene.env, exe, ...args)) },
    ...both(scene, ...args),
  };
}

function smallSandboxes({ env, peers }: Scene): Record<string, Work> {
  const tools: Record<string, Work> = {};
  const { bundle } = peers;
  if (bundle !== undefined) {
    const args = ['--cgroup-manager=disabled', 'run', '-b', bundle];
    tools.crun = { run: async round => void (await call(env, 'crun', ...args, `bench${round}`)) };
  }
  if (peers.bwrap) {
    const args = [
      '--unshare-all',
      '--bind',
      peers.rootfs,
      '/',
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      '/bin/true',
    ];
    tools.bwrap = { run: async () => void (await call(env, 'bwrap', ...args)) };
  }
  return tools;
}

/** With the programs that start containers at once or in turn: each has its own, by names that begin with `name`. */
function each(
  scene: Scene,
  name: string,
  work: (program: string, name: string) => Work,
): Record<string, Work> {
  return {
    ...(scene.exe === undefined ? {} : { [SINGLE]: work(scene.exe, `${name}-single`) }),
    tsbox: work(TSBOX, name),
    ...(scene.peers.podman ? { podman: work('podman', name) } : {}),
  };
}

const manyAtOnce = (scene: Scene, begin: boolean): Record<string, Work> =>
  each(scene, 'many', (program, name) => twenty(scene, program, name, begin));

function twenty(scene: Scene, program: string, prefix: string, begin: boolean): Work {
  const names = Array.from({ length: 20 }, (_, i) => `${prefix}${i}`);
  const start = async (): Promise<void> => {
    await Promise.all(
      names.map(name =>
        call(scene.env, program, 'run', '-d', '--name', name, ...NONE, scene.busybox, 'sleep', '1000'),
      ),
    );
  };
  const stop = async (): Promise<void> =>
    void (await call(scene.env, program, 'rm', '-f', ...(program === 'podman' ? ['-t', '0'] : []), ...names));
  return begin
    ? { before: async round => (round > 0 ? stop() : undefined), run: start }
    : { before: async round => (round > 0 ? start() : undefined), run: stop };
}

/** Of a container that is made in the first round. */
const startStop = (scene: Scene): Record<string, Work> =>
  each(scene, 'cycle', (program, name) => ({
    before: async round => {
      const words = ['create', '--name', name, ...NONE, scene.busybox, 'sleep', '1000'];
      if (round === 0) await call(scene.env, program, ...words);
    },
    run: async () => {
      await call(scene.env, program, 'start', name);
      await call(scene.env, program, 'stop', '-t', '0', name);
    },
  }));

/** What readiness of the network adds to a run, in turn; 15 ms at most are wanted. */
const readiness = ({ env, busybox }: Scene): Record<string, Work> => {
  const run = (network: string): Work => ({
    run: async () => void (await call(env, TSBOX, 'run', '--rm', '--network', network, busybox, 'true')),
  });
  return { tsbox: run('slirp4netns'), 'no network': run('none') };
};

/** A container `long` must be running in both tools. Order matters: the twenty are started by one case and ended by the next. */
export function cases(scene: Scene): Case[] {
  const { busybox } = scene;
  return [
    {
      name: '`run --rm --network none busybox true`',
      rounds: 20,
      target: 0.42,
      singleTarget: 0.25,
      tools: { ...quick(scene, 'run', '--rm', ...NONE, busybox, 'true'), ...smallSandboxes(scene) },
    },
    {
      name: '`run --rm busybox true`, slirp4netns',
      rounds: 15,
      target: 0.35,
      singleTarget: 0.2,
      tools: quick(scene, 'run', '--rm', '--network', 'slirp4netns', busybox, 'true'),
    },
    { name: '`run … true`, slirp4netns and none: ≤ 15 ms apart', rounds: 20, tools: readiness(scene) },
    {
      name: '`exec long true`',
      rounds: 20,
      target: 0.38,
      singleTarget: 0.2,
      tools: quick(scene, 'exec', 'long', 'true'),
    },
    { name: '`ps -a`', rounds: 15, target: 1, singleTarget: 0.6, tools: quick(scene, 'ps', '-a') },
    { name: '`images`', rounds: 15, target: 1, singleTarget: 0.6, tools: quick(scene, 'images') },
    {
      name: '`inspect long`',
      rounds: 15,
      target: 1,
      singleTarget: 0.6,
      tools: quick(scene, 'inspect', 'long'),
    },
    { name: '`start` and `stop -t 0`', rounds: 10, target: 0.5, singleTarget: 0.5, tools: startStop(scene) },
    ...imageCases(scene),
    ...buildCases(scene),
    {
      name: '20 × `run -d` at once',
      rounds: 3,
      target: 0.4,
      singleTarget: 0.4,
      tools: manyAtOnce(scene, true),
    },
    { name: '`rm -f` of the 20', rounds: 3, target: 0.4, singleTarget: 0.4, tools: manyAtOnce(scene, false) },
  ];
}
