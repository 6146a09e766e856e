import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { TSBOX } from '../support/cli.ts';
import { removeTree } from '../support/runner/tree.ts';
import { type Case, call, type Env, type Work } from './measure.ts';
import type { Peers } from './peers.ts';

export interface Scene {
  readonly env: Env;
  readonly peers: Peers;
  /** Names of the images in the registry. */
  readonly busybox: string;
  readonly debian: string | undefined;
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

/** Each pull goes into a store that is empty but for what opening it makes. */
function pulls(scene: Scene, image: string): Record<string, Work> {
  const home = scene.env.HOME ?? '';
  const root = (tool: string): string => join(home, `pull-${tool}`);
  const clear = (tool: string) => async () => {
    rmSync(join(home, `run-${tool}`), { recursive: true, force: true });
    removeTree(root(tool));
  };
  const tsbox: Work = {
    before: clear('tsbox'),
    run: async () => void (await call(scene.env, TSBOX, '--root', root('tsbox'), 'pull', '-q', image)),
  };
  const stores = ['--root', root('podman'), '--runroot', join(home, 'run-podman')];
  const podman: Work = {
    before: clear('podman'),
    run: async () => void (await call(scene.env, 'podman', ...stores, 'pull', '-q', image)),
  };
  return scene.peers.podman ? { tsbox, podman } : { tsbox };
}

function twenty(scene: Scene, program: string, begin: boolean): Work {
  const names = Array.from({ length: 20 }, (_, i) => `many${i}`);
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

const manyAtOnce = (scene: Scene, begin: boolean): Record<string, Work> => ({
  tsbox: twenty(scene, TSBOX, begin),
  ...(scene.peers.podman ? { podman: twenty(scene, 'podman', begin) } : {}),
});

/** A container `long` must be running in both tools. Order matters: the twenty are started by one case and ended by the next. */
export function cases(scene: Scene): Case[] {
  const { busybox, debian } = scene;
  return [
    {
      name: '`run --rm --network none busybox true`',
      rounds: 20,
      target: 0.5,
      tools: { ...both(scene, 'run', '--rm', ...NONE, busybox, 'true'), ...smallSandboxes(scene) },
    },
    {
      name: '`run --rm busybox true`, slirp4netns',
      rounds: 15,
      target: 0.4,
      tools: both(scene, 'run', '--rm', '--network', 'slirp4netns', busybox, 'true'),
    },
    { name: '`exec long true`', rounds: 20, target: 0.45, tools: both(scene, 'exec', 'long', 'true') },
    { name: '`ps -a`', rounds: 15, tools: both(scene, 'ps', '-a') },
    { name: '`images`', rounds: 15, tools: both(scene, 'images') },
    { name: '`inspect long`', rounds: 15, tools: both(scene, 'inspect', 'long') },
    ...(debian
      ? [{ name: '`pull` Debian, 1 layer, empty store', rounds: 5, target: 0.6, tools: pulls(scene, debian) }]
      : []),
    { name: '20 × `run -d` at once', rounds: 3, tools: manyAtOnce(scene, true) },
    { name: '`rm -f` of the 20', rounds: 3, tools: manyAtOnce(scene, false) },
  ];
}
