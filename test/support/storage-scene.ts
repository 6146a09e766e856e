import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { helperPath } from '../../src/host/binaries.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { chooseMaps, type UsernsMaps } from '../../src/host/idmap.ts';
import { ownStore } from '../../src/host/owner.ts';
import { openPaths, type Paths } from '../../src/host/paths.ts';
import { CLONE } from '../../src/plan/flags.ts';
import { type Op, ops } from '../../src/plan/ops.ts';
import { enter } from '../../src/runtime/enter.ts';
import { launch } from '../../src/runtime/launch.ts';
import type { RootfsRequest, StorageDriver, StorageHost } from '../../src/storage/driver.ts';
import { within } from './within.ts';

/** A store with layers made by hand and containers that consist of nothing but a root file system and a shell. */
export interface StorageScene {
  readonly paths: Paths;
  readonly maps: UsernsMaps;
  readonly host: StorageHost;
}

export async function openScene(want: 'auto' | 'single' | 'keep-id' = 'auto'): Promise<StorageScene> {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-scene-'));
  chmodSync(dir, 0o711); // root's containers have other ids, which must be able to reach the store
  const paths = await openPaths(defaultConfig(), { root: join(dir, 'store'), runtimeDir: join(dir, 'run') });
  const maps = (await chooseMaps(defaultConfig(), want)).maps;
  ownStore(paths, maps);
  return { paths, maps, host: { root: paths.root, mode: maps.mode, walk: plan => walk(paths, maps, plan) } };
}

/** The tree under other ids: as the containers of this user would have them. */
async function walk(paths: Paths, maps: UsernsMaps, plan: readonly Op[]): Promise<void> {
  const { child, result } = enter({ helper: helperPath(), cwd: paths.root, maps }, plan, { name: 'scene' });
  const said = text(child.stderr ?? process.stdin);
  const status = await within(60_000, result, 'a plan');
  if (status !== 0) throw new Error(`status ${status}: ${await said}`);
}

let nextLayer = 1;

/** Makes an unpacked layer with a shell script that runs, under mapped ids, in its root. Returns the diff id. */
export async function makeLayer(scene: StorageScene, script: string): Promise<string> {
  const hex = (nextLayer++).toString(16).padStart(64, '0');
  const tree = `layers/${hex}/fs`;
  await scene.host.walk([
    ops.exec(
      '/bin/busybox',
      ['busybox', 'sh', '-ec', `umask 022; busybox mkdir -p ${tree}; cd ${tree}; ${script}`],
      'a layer',
    ),
  ]);
  return `sha256:${hex}`;
}

/** Makes `count` small layers at once: each has a file `top` with its number and a file `f<number>`. Diff ids from number 1 on. */
export async function makeManyLayers(scene: StorageScene, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => (nextLayer++).toString(16).padStart(64, '0'));
  const script = ids.map(
    (id, i) => `mkdir -p ${id}/fs; echo ${i + 1} > ${id}/fs/top; echo ${i + 1} > ${id}/fs/f${i + 1}`,
  );
  const shell = ['busybox', 'sh', '-ec', `umask 022; cd layers; ${script.join('\n')}`];
  await scene.host.walk([ops.exec('/bin/busybox', shell, 'layers')]);
  return ids.map(id => `sha256:${id}`);
}

/** The static shell that every scene's base layer has. */
export const SHELL_LAYER =
  'mkdir -p bin proc tmp; cp /bin/busybox bin/busybox; for a in $(bin/busybox --list); do [ -e bin/$a ] || ln -s busybox bin/$a; done; rm bin/sh; ln bin/busybox bin/sh';

let nextContainer = 1;

export function newContainer(
  scene: StorageScene,
  layers: readonly string[],
  more: Partial<RootfsRequest> = {},
): RootfsRequest {
  const containerId = (nextContainer++).toString(16).padStart(64, 'c');
  mkdirSync(join(scene.paths.containers, containerId));
  return { root: scene.paths.root, containerId, layers, ...more };
}

/** Starts a container on this root file system and returns what a shell script in it prints. */
export async function runIn(
  scene: StorageScene,
  driver: StorageDriver,
  request: RootfsRequest,
  script: string,
  before: readonly Op[] = [],
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  await driver.prepare(request, scene.host);
  const rootfs = driver.rootfs(request);
  const header = {
    id: request.containerId,
    cwd: scene.paths.root,
    clone: CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWPID,
    maps: scene.maps,
    lock: `containers/${request.containerId}/lock`,
    state: `containers/${request.containerId}/state.json`,
    front: 'oe',
  };
  const init = [
    ops.private('nothing leaves'),
    ...rootfs.ops,
    ...before,
    ops.pivot('/'),
    ops.barrier([], 'ready'),
  ];
  const resume = [
    ops.env(['PATH=/bin:/usr/bin'], 'a plain environment'),
    ops.exec('/bin/busybox', ['sh', '-c', script], 'the test'),
  ];
  const launched = await within(
    30_000,
    launch(
      helperPath(),
      { role: 'supervise', header, init, services: rootfs.services, resume: () => resume },
      ['ignore', 'pipe', 'pipe'],
    ),
    'the start of a container',
  );
  const [stdout, stderr] = [launched.child?.stdout, launched.child?.stderr].map(s =>
    text(s ?? process.stdin),
  );
  const { exitCode } = await within(60_000, launched.ended, 'a script in a container');
  return { stdout: (await stdout) ?? '', stderr: (await stderr) ?? '', exitCode };
}

/** Processes of this user whose command line has `word`, for looking whether a server is gone. */
export function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(pid => {
      try {
        if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return '';
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter(line => line.includes(word));
}

/** Removes everything, also what belongs to mapped ids. */
export async function closeScene(scene: StorageScene): Promise<void> {
  const { rmSync } = await import('node:fs');
  for (const dir of ['layers', 'containers', 'tmp']) {
    await scene.host.walk([ops.rmtree(dir, 'the scene is over')]);
  }
  rmSync(join(scene.paths.root, '..'), { recursive: true, force: true });
}
