import { chmodSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Engine } from '../../src/engine/context.ts';
import { enterHost } from '../../src/engine/machine.ts';
import { beginLayer } from '../../src/engine/unpack.ts';
import type { TsboxError } from '../../src/errors.ts';
import { type Config, defaultConfig } from '../../src/host/config.ts';
import { openPaths } from '../../src/host/paths.ts';
import { silentReporter } from '../../src/log.ts';
import { ops } from '../../src/plan/ops.ts';
import { enter } from '../../src/runtime/enter.ts';
import type { LayerRecord } from '../../src/store/layers.ts';
import { type Canary, makeCanary } from './canary.ts';
import { tempHome } from './temp-home.ts';
import { within } from './within.ts';

/** A store of its own with a canary beside it, and the real way of a layer into it: helper, namespace, chroot, node. */
export interface LayerScene {
  readonly engine: Engine;
  readonly canary: Canary;
  /** True where the user has no subordinate ids. */
  readonly single: boolean;
}

export async function openLayerScene(config: Partial<Config> = {}): Promise<LayerScene> {
  const dir = mkdtempSync(join(tempHome().dir, 'layers-'));
  chmodSync(dir, 0o711); // root's containers have other ids, which must be able to reach the store
  const all = { ...defaultConfig(), ...config };
  const paths = await openPaths(all, { root: join(dir, 'store'), runtimeDir: join(dir, 'run') });
  const engine: Engine = { config: all, paths, reporter: silentReporter, signal: undefined };
  const { maps } = await enterHost(engine);
  return { engine, canary: makeCanary(dir), single: maps.mode === 'single' };
}

/** What became of a layer. */
export interface Outcome {
  /** Path of the layer's root on the host; empty when it was refused. */
  readonly root: string;
  readonly record: LayerRecord | undefined;
  readonly error: TsboxError | undefined;
  /** Relative paths of the layer with kind, mode, owner and more, as root of the namespace sees them. */
  readonly tree: Readonly<Record<string, Node>>;
}

export interface Node {
  /** find's letter: f d l p c b s. */
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly size: number;
  /** Target of a symbolic link. */
  readonly link: string;
  readonly links: number;
  readonly inode: string;
  /** Seconds, with the fraction. */
  readonly mtime: string;
}

/** Applies one archive, fed in pieces of `step` bytes. */
export async function applyLayer(scene: LayerScene, archive: Buffer, step = 64 * 1024): Promise<Outcome> {
  try {
    const record = await within(240_000, feed(scene, archive, step), 'a layer');
    const root = join(scene.engine.paths.layers, record.diffId.slice('sha256:'.length), 'fs');
    return { root, record, error: undefined, tree: await describe(scene, root) };
  } catch (error) {
    return { root: '', record: undefined, error: error as TsboxError, tree: {} };
  }
}

async function feed({ engine }: LayerScene, archive: Buffer, step: number): Promise<LayerRecord> {
  const sink = await beginLayer(engine, {});
  for (let at = 0; at < archive.length; at += step) await sink.write(archive.subarray(at, at + step));
  return sink.end();
}

const FIELDS = '%P\\t%y\\t%m\\t%U:%G\\t%s\\t%l\\t%n\\t%i\\t%T@\\n';

async function describe(scene: LayerScene, root: string): Promise<Record<string, Node>> {
  const out = await inside(scene, '/usr/bin/find', [root, '-printf', FIELDS]);
  const rows = out
    .split('\n')
    .slice(0, -1)
    .map(line => line.split('\t'));
  return Object.fromEntries(
    rows.map(
      ([
        path = '',
        type = '',
        mode = '',
        owner = '',
        size = '',
        link = '',
        links = '',
        inode = '',
        mtime = '',
      ]) => [path, { type, mode, owner, size: Number(size), link, links: Number(links), inode, mtime }],
    ),
  );
}

/** Runs a program of the machine as root of the namespace and returns what it prints. */
export async function inside(scene: LayerScene, program: string, args: readonly string[]): Promise<string> {
  const host = await enterHost(scene.engine);
  const { child, result } = enter(host, [ops.exec(program, [program, ...args], 'a look')], { name: 'look' });
  if (!child.stdout) throw new Error('no output');
  const [out, status] = await within(20_000, Promise.all([text(child.stdout), result]), program);
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return out;
}

/** Names that a refused or finished layer left in `tmp/` and `layers/`. */
export function leftovers({ engine }: LayerScene): string[] {
  return [...readdirSync(engine.paths.tmp), ...readdirSync(engine.paths.layers)];
}
