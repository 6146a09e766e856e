import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TSBOX } from '../support/cli.ts';
import { removeTree } from '../support/runner/tree.ts';
import type { Scene } from './cases.ts';
import { type Case, call, SINGLE, type Work } from './measure.ts';

/** The life of an image: pull, commit, save, load, push, rmi. */

interface Tool {
  readonly program: string;
  /** Of its files and repositories. */
  readonly name: string;
}

function each(scene: Scene, work: (tool: Tool) => Work): Record<string, Work> {
  const { peers, exe } = scene;
  return {
    tsbox: work({ program: TSBOX, name: 'tsbox' }),
    ...(exe === undefined ? {} : { [SINGLE]: work({ program: exe, name: 'exe' }) }),
    ...(peers.podman ? { podman: work({ program: 'podman', name: 'podman' }) } : {}),
  };
}

/** A store of the tool's own that can be thrown away. */
class Store {
  readonly #scene: Scene;
  readonly #tool: Tool;
  readonly #root: string;
  readonly #run: string;

  constructor(scene: Scene, tool: Tool, name: string) {
    this.#scene = scene;
    this.#tool = tool;
    this.#root = join(scene.env.HOME ?? '', `${name}-${tool.name}`);
    this.#run = join(scene.env.HOME ?? '', `r${name}-${tool.name}`);
  }

  async clear(): Promise<void> {
    rmSync(this.#run, { recursive: true, force: true });
    removeTree(this.#root);
  }

  async call(...args: string[]): Promise<void> {
    const own = this.#tool.program === 'podman' ? ['--runroot', this.#run] : [];
    await call(this.#scene.env, this.#tool.program, '--root', this.#root, ...own, ...args);
  }
}

/** Into a store that is empty but for what opening it makes. */
export const pulls = (scene: Scene, image: string): Record<string, Work> =>
  each(scene, tool => {
    const store = new Store(scene, tool, 'pull');
    return { before: () => store.clear(), run: () => store.call('pull', '-q', image) };
  });

const FILES = 'i=0; while [ $i -lt 1500 ]; do head -c 58000 /dev/urandom > /srv/$i; i=$((i+1)); done';

/** 87 MB in 1,500 files, written by a container of its own for every round. */
const commits = (scene: Scene): Record<string, Work> =>
  each(scene, tool => {
    const [container, image] = [`written-${tool.name}`, `bench-commit-${tool.name}`];
    const by = (...args: string[]) => call(scene.env, tool.program, ...args);
    return {
      before: async round => {
        if (round > 0) {
          await by('rm', '-f', container);
          await by('rmi', '-f', image);
        }
        await by('run', '--name', container, '--network', 'none', scene.busybox, 'sh', '-c', FILES);
      },
      run: async () => void (await by('commit', '-q', container, image)),
    };
  });

/** Both have the image, with its blobs or without, as a pull leaves it. */
const saves = (scene: Scene, image: string): Record<string, Work> =>
  each(scene, tool => {
    const file = archive(scene, tool.name);
    return {
      before: async round => {
        rmSync(file, { force: true });
        if (round === 0) await call(scene.env, tool.program, 'pull', '-q', image);
      },
      run: async () => void (await call(scene.env, tool.program, 'save', '-o', file, image)),
    };
  });

const archive = (scene: Scene, name: string): string => join(scene.env.HOME ?? '', `saved-${name}.tar`);

/** Both load what podman saved, if it is there: plain layers, the usual docker-archive. */
const loads = (scene: Scene, image: string): Record<string, Work> =>
  each(scene, tool => {
    const store = new Store(scene, tool, 'load');
    const file = archive(scene, scene.peers.podman ? 'podman' : 'tsbox');
    return {
      before: async () => {
        await store.clear();
        if (existsSync(file)) return;
        const saver = scene.peers.podman ? 'podman' : TSBOX;
        await call(scene.env, saver, 'pull', '-q', image);
        await call(scene.env, saver, 'save', '-o', file, image);
      },
      run: () => store.call('load', '-q', '-i', file),
    };
  });

/** Into a repository that the registry has never seen. */
const pushes = (scene: Scene, image: string): Record<string, Work> =>
  each(scene, tool => {
    const target = (round: number): string => image.replace(/bench\/.*/, `pushed/${tool.name}${round}`);
    return {
      before: async round => {
        if (round === 0) await call(scene.env, tool.program, 'pull', '-q', image);
        await call(scene.env, tool.program, 'tag', image, target(round));
      },
      run: async round => void (await call(scene.env, tool.program, 'push', '-q', target(round))),
    };
  });

const removals = (scene: Scene, image: string): Record<string, Work> =>
  each(scene, tool => {
    const store = new Store(scene, tool, 'rmi');
    return { before: () => store.call('pull', '-q', image), run: () => store.call('rmi', image) };
  });

/** Megabytes of the archives, as they are unpacked. */
const DEBIAN = 128;
const FIVE = DEBIAN + 4 * 15;

export function imageCases(scene: Scene): Case[] {
  const { debian, fiveLayers } = scene;
  const commit = {
    name: '`commit` of 87 MB',
    rounds: 5,
    target: 0.35,
    megabytes: 87,
    tools: commits(scene),
  };
  if (!debian || !fiveLayers) return [commit];
  return [
    {
      name: '`pull` Debian, 1 layer, empty store',
      rounds: 5,
      target: 0.5,
      megabytes: DEBIAN,
      tools: pulls(scene, debian),
    },
    {
      name: '`pull` of 5 layers, empty store',
      rounds: 5,
      target: 0.5,
      megabytes: FIVE,
      tools: pulls(scene, fiveLayers),
    },
    commit,
    {
      name: '`push` of 5 layers',
      rounds: 3,
      target: 0.7,
      singleTarget: 0.7,
      megabytes: FIVE,
      tools: pushes(scene, fiveLayers),
    },
    { name: '`save` of 5 layers', rounds: 3, target: 0.6, megabytes: FIVE, tools: saves(scene, fiveLayers) },
    {
      name: '`load` of 5 layers, empty store',
      rounds: 3,
      target: 0.6,
      megabytes: FIVE,
      tools: loads(scene, fiveLayers),
    },
    {
      name: '`rmi` of 5 layers',
      rounds: 3,
      target: 0.6,
      singleTarget: 0.6,
      tools: removals(scene, fiveLayers),
    },
  ];
}
