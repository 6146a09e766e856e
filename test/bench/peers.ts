import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from '../support/requires.ts';
import type { Env } from './measure.ts';

/** What is installed beside tsbox, configured in the bench's own home. */
export interface Peers {
  readonly podman: boolean;
  /** Directory of a prepared bundle, when crun can run it here. */
  readonly bundle: string | undefined;
  readonly bwrap: boolean;
  readonly rootfs: string;
}

export function setUpPeers(env: Env, registryHost: string, layer: Buffer): Peers {
  const home = env.HOME ?? '';
  const rootfs = join(home, 'bundle/rootfs');
  mkdirSync(rootfs, { recursive: true });
  spawnSync('tar', ['-C', rootfs, '-xf', '-'], { input: layer });
  configurePodman(home, registryHost);
  return {
    podman: which('podman') !== undefined,
    bundle: which('crun') === undefined ? undefined : crunBundle(env, join(home, 'bundle')),
    bwrap: which('bwrap') !== undefined,
    rootfs,
  };
}

/** Rootless podman as it is at its best: native overlay, crun, no systemd to ask. */
function configurePodman(home: string, registryHost: string): void {
  const dir = join(home, '.config/containers');
  mkdirSync(dir, { recursive: true });
  const files = {
    'storage.conf': '[storage]\ndriver = "overlay"\n',
    'containers.conf': '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n',
    'registries.conf': `[[registry]]\nlocation = "${registryHost}"\ninsecure = true\n`,
    'policy.json': '{"default":[{"type":"insecureAcceptAnything"}]}',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
}

function crunBundle(env: Env, dir: string): string | undefined {
  const options = { cwd: dir, env, encoding: 'utf8' } as const;
  if (spawnSync('crun', ['spec', '--rootless'], options).status !== 0) return undefined;
  const file = join(dir, 'config.json');
  const spec = JSON.parse(readFileSync(file, 'utf8')) as {
    process: { args: string[]; terminal: boolean };
    linux: { resources?: unknown };
  };
  spec.process.args = ['true'];
  spec.process.terminal = false;
  delete spec.linux.resources;
  writeFileSync(file, JSON.stringify(spec));
  const tried = spawnSync('crun', ['--cgroup-manager=disabled', 'run', 'probe'], options);
  return tried.status === 0 ? dir : undefined;
}
