import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Canary, makeCanary } from './canary.ts';
import type { Box, Result } from './cli.ts';
import { busyboxImage, digestOf, dockerArchive } from './images.ts';
import { busybox } from './ready.ts';
import { missingNeed, type Need, requires } from './requires.ts';

/**
 * The escape suite: each file is an attack that has worked somewhere, tried on a container as a user gets it. The runner does every
 * file as a user with subordinate ids and as one without; `drivers: 'each'` does it on both overlay drivers as well. All files of a
 * user share one process and one store (kind `escape` of the runner), so that an attack costs its containers and no more.
 */
export interface EscapeOptions {
  /** `each`: overlay and fuse-overlayfs; `any`: how a root file system is made has no part in the attack. */
  readonly drivers: 'each' | 'any';
  readonly needs?: readonly Need[];
}

export interface Scene {
  readonly box: Box;
  /** A new directory of the caller's own. */
  readonly dir: string;
  /** Beside `dir`, given to nobody; that it was not touched is asserted when the test has ended. */
  readonly canary: Canary;
  /** `run --rm --network none` with the driver in question. */
  run(...args: string[]): Promise<Result>;
  /** The same through a shell in busybox; asserts status 0 and gives stdout. */
  sh(script: string, ...flags: string[]): Promise<string>;
  /** A container in the background; gone when the test has ended. */
  start(...args: string[]): Promise<string>;
  /** `sh -c SCRIPT` in a running container, whatever its status. */
  exec(id: string, script: string, ...flags: string[]): Promise<Result>;
  /** Loads busybox with a hostile layer over it (or nothing else than the layer); its name. */
  image(layer: Buffer, config?: Readonly<Record<string, unknown>>): Promise<string>;
}

export type Driver = keyof typeof DRIVERS | 'auto';

const DRIVERS = {
  overlay: ['overlay'],
  'fuse-overlayfs': ['fuse', 'fuse-overlayfs'],
} as const satisfies Record<string, readonly Need[]>;

export interface Escape {
  (name: string, attack: (scene: Scene) => Promise<void>): void;
  /** On the first driver alone: where the driver has no part in it. */
  once(name: string, attack: (scene: Scene) => Promise<void>): void;
  run(): void;
}

/** `entries`: advisories and reports that the file answers, as docs/escape-suite.md lists them. */
export function escapeSuite(entries: readonly string[], options: EscapeOptions): Escape {
  const base: Need[] = ['userns', 'busybox', ...(options.needs ?? [])];
  const drivers = options.drivers === 'any' ? (['auto'] as const) : (['overlay', 'fuse-overlayfs'] as const);
  const suites = drivers.map(driver => {
    const needs = driver === 'auto' ? base : [...base, ...DRIVERS[driver]];
    return { driver, test: requires(suite(`${entries.join(', ')} ${driver}`), ...needs) };
  });
  const add = (name: string, attack: (scene: Scene) => Promise<void>): void => {
    for (const { driver, test } of suites) test(name, () => play(driver, attack));
  };
  return Object.assign(add, {
    once: (name: string, attack: (scene: Scene) => Promise<void>): void => {
      const [first] = suites;
      first?.test(name, () => play(first.driver, attack));
    },
    run: () => {
      for (const { test } of suites) test.run();
    },
  });
}

let canary: Canary | undefined;

async function play(driver: Driver, attack: (scene: Scene) => Promise<void>): Promise<void> {
  const box = await busybox();
  const parent = join(box.home.dir, 'scenes');
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 's-'));
  // One for all: images that name it are the same for every driver, and are loaded once.
  canary ??= makeCanary(mkdtempSync(join(box.home.dir, 'c-')));
  const started: string[] = [];
  try {
    await attack(sceneOf(box, driver, dir, canary, started));
    canary.assertUntouched();
  } finally {
    if (started.length > 0) await box('rm', '-f', '-v', ...started);
  }
}

function sceneOf(box: Box, driver: Driver, dir: string, canary: Canary, started: string[]): Scene {
  const storage = driver === 'auto' ? [] : ['--storage-driver', driver];
  const flags = ['--network', 'none', ...storage];
  const run = (...args: string[]) =>
    box('run', '--rm', ...(args.includes('--network') ? storage : flags), ...args);
  return {
    box,
    dir,
    canary,
    run,
    sh: (script, ...more) => box.ok('run', '--rm', ...flags, ...more, 'busybox', 'sh', '-c', script),
    start: async (...args) => {
      const id = await box.ok('run', '-d', ...(args.includes('--network') ? storage : flags), ...args);
      started.push(id);
      return id;
    },
    exec: (id, script, ...more) => box('exec', ...more, id, 'sh', '-c', script),
    image: (layer, config = {}) => hostileImage(box, layer, config),
  };
}

const loaded = new Map<string, Promise<string>>();

function hostileImage(box: Box, layer: Buffer, config: Readonly<Record<string, unknown>>): Promise<string> {
  const name = `hostile-${digestOf(JSON.stringify([digestOf(layer), config])).slice(7, 23)}`;
  const load = async (): Promise<string> => {
    const base = busyboxImage(config);
    const archive = join(box.home.dir, `${name}.tar`);
    await box.ok(
      'load',
      '-i',
      dockerArchive({ ...base, layers: [...base.layers, layer] }, `${name}:latest`, archive),
    );
    return name;
  };
  const known = loaded.get(name) ?? load();
  loaded.set(name, known);
  return known;
}

/** Whether a test that needs more than its file can go on; a reason otherwise. */
export const lacks = (...needs: Need[]): string | undefined => missingNeed(...needs)?.reason;

/** Fails when a text of the canary stands in what a container saw or left. */
export function assertNoSecret(canary: Canary, ...texts: string[]): void {
  for (const text of texts) assert.not.match(text, canary.secret);
}

/** What the files below a directory hold. No link is followed: what it leads to was not copied. */
export const contentsBelow = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(e => e.isFile())
    .map(e => readFileSync(join(e.parentPath, e.name), 'latin1'));

/** Fails when a path that an attack wanted is there. */
export const assertAbsent = (...paths: string[]): void => {
  for (const path of paths) assert.not(existsSync(path), path);
};
