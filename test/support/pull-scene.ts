import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../src/engine/context.ts';
import { pull } from '../../src/engine/pull.ts';
import type { PullOptions } from '../../src/engine/types.ts';
import { TsboxError } from '../../src/errors.ts';
import { type Config, defaultConfig } from '../../src/host/config.ts';
import { pathsOf } from '../../src/host/paths.ts';
import { silentReporter } from '../../src/log.ts';
import { DEFAULT_LIMITS } from '../../src/registry/limits.ts';
import { ImageStore } from '../../src/store/images.ts';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.ts';

/**
 * The registry half of `pull`: the trees of all layers are pretended to be unpacked, so that no namespace is needed.
 */
export interface Scene {
  home: string;
  registry: FakeRegistry;
  engine: Engine;
  images: ImageStore;
  warned: string[];
}

export const LIMITS = { ...DEFAULT_LIMITS, backoff: 5, headers: 2000, idle: 2000 };
const PINNED = ['HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'DOCKER_CONFIG', 'REGISTRY_AUTH_FILE'] as const;
const before = PINNED.map(name => process.env[name]);
export const layer = (text: string): Buffer => Buffer.from(text.repeat(1000));

/** A suite whose tests each get a fresh scene. */
export function pullSuite(name: string): Test<Scene> {
  const test = suite<Scene>(name);
  test.before.each(async scene => {
    scene.home = mkdtempSync(join(tmpdir(), 'tsbox-pull-'));
    // Otherwise the mirrors and credentials of whoever runs the tests would be used.
    for (const name of PINNED)
      process.env[name] = name === 'REGISTRY_AUTH_FILE' ? join(scene.home, 'none') : scene.home;
    scene.registry = await startFakeRegistry();
    scene.warned = [];
    scene.engine = engineOf(scene, {});
    scene.images = new ImageStore(scene.engine.paths.images, scene.engine.paths.tmp);
  });

  test.after.each(async ({ home, registry }) => {
    await registry.stop();
    rmSync(home, { recursive: true });
    for (const [i, name] of PINNED.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
  });
  return test;
}

export function engineOf(scene: Scene, config: Partial<Config>, signal?: AbortSignal): Engine {
  const paths = pathsOf(join(scene.home, 'store'), join(scene.home, 'run'));
  for (const path of Object.values(paths)) mkdirSync(path, { recursive: true });
  const reporter = { ...silentReporter, warn: (text: string) => void scene.warned.push(text) };
  return { paths, config: { ...defaultConfig(), ...config }, reporter, signal };
}

/** Adds an image whose layers are there, unpacked. */
export function addImage(
  scene: Scene,
  repo: string,
  tag: string,
  layers: readonly Buffer[],
  config: object = {},
) {
  const image = scene.registry.addImage(repo, tag, layers, { architecture: 'amd64', ...config });
  for (const diffId of image.diffIds) pretendUnpacked(scene, diffId);
  return image;
}

export function pretendUnpacked({ engine }: Scene, diffId: string): void {
  const dir = join(engine.paths.layers, diffId.slice(7));
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'layer.json'), JSON.stringify({ version: 1, diffId, size: 1234, entries: 1 }));
}

export const get = (scene: Scene, reference: string, options: PullOptions = {}, engine = scene.engine) =>
  pull(engine, reference, { platform: 'linux/amd64', ...options }, LIMITS);

export async function failsWith(work: Promise<unknown>, code: string, message: RegExp): Promise<TsboxError> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, TsboxError, (error as Error).stack);
    assert.is((error as TsboxError).code, code, (error as Error).message);
    assert.match((error as TsboxError).message, message);
    return error as TsboxError;
  }
  throw new Error('it did not fail');
}

export function assertNothingHalfMade({ engine }: Scene): void {
  assert.equal(readdirSync(engine.paths.tmp), []);
}
