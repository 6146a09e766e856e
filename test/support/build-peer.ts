import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { plainConfig, plainTree } from './build-fixtures.ts';
import type { Box } from './cli.ts';
import { buildah, configurePeers, runIn } from './round-trip.ts';
import { listTar } from './tree-listing.ts';

/** The same build by buildah, in the same run. */
export interface PeerBuild {
  /** Where `context` is. */
  readonly dir: string;
  /** For tsbox, for buildah. */
  readonly args: readonly string[];
  readonly peerArgs: readonly string[];
  /** Fields of the config that are known to differ; that they do is asserted. */
  readonly differs?: readonly string[];
  /** Paths of the tree that are not compared. */
  readonly apart?: readonly string[];
}

const held = new Set<string>();

/** Gives buildah an image, a docker archive in the home. */
export async function buildahHolds({ home }: Box, archive: string): Promise<void> {
  if (held.size === 0) configurePeers(home);
  if (!held.has(archive)) runIn(home)('buildah', 'pull', '-q', `docker-archive:${archive}`);
  held.add(archive);
}

/** Builds the images `ours` and `theirs` and asserts that they are the same. */
export async function sameAsBuildah(box: Box, built: PeerBuild): Promise<void> {
  const { dir, args, apart = [] } = built;
  const tree = join(box.home.dir, 'tree.tar');
  const here = box.with({ cwd: dir });
  await here.ok('build', '-q', ...args, '-t', 'ours', 'context');
  const inspected = await box.ok('image', 'inspect', '--format', '{{json .Config}}', 'ours');
  const config = JSON.parse(inspected) as { Volumes?: object | null };
  await here.ok('build', '-q', ...args, '-o', `type=tar,dest=${tree}`, 'context');
  const theirs = await byBuildah(box, built);
  const mounted = Object.keys(config.Volumes ?? {}).map(path => path.replace(/^\//, ''));
  const skipped = [...mounted, ...apart];
  assert.equal(plainTree(await listTar(createReadStream(tree)), skipped), plainTree(theirs.tree, skipped));
  sameConfig(built.differs ?? [], plainConfig(config), plainConfig(theirs.config));
}

async function byBuildah({ home }: Box, { dir, peerArgs }: PeerBuild) {
  // Otherwise its cache mounts are in a directory of /var/tmp that belongs to whoever was first.
  const run = runIn({ ...home, dir, env: { ...home.env, TMPDIR: home.dir } });
  const how = ['-q', '--isolation', 'chroot', '--format', 'docker', '--pull-never'];
  run('buildah', 'bud', ...how, ...peerArgs, '-t', 'theirs', 'context');
  const image = run('buildah', 'images', '-q', '--no-trunc', 'theirs').split('\n')[0] ?? '';
  const { tree } = await buildah(home).held(image);
  run('buildah', 'rm', '--all');
  const text = run('buildah', 'inspect', '--type', 'image', 'theirs');
  const { Docker } = JSON.parse(text) as { Docker: { config: object } };
  return { tree, config: Docker.config };
}

function sameConfig(differs: readonly string[], our: object, their: object): void {
  const [one, two] = [new Map(Object.entries(our)), new Map(Object.entries(their))];
  for (const key of differs) assert.not.equal(one.get(key), two.get(key), `${key} does not differ`);
  for (const key of differs) for (const fields of [one, two]) fields.delete(key);
  assert.equal(Object.fromEntries(one), Object.fromEntries(two));
}
