import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  copyFixtures,
  type Fixture,
  fixture,
  fixtureNames,
  plainConfig,
  plainTree,
  setIgnore,
} from '../support/build-fixtures.ts';
import { busybox } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { buildah, configurePeers, runIn } from '../support/round-trip.ts';
import { listTar } from '../support/tree-listing.ts';

/** Each Dockerfile of test/fixtures/build, built by tsbox and in the same run by buildah: the same config, the same files. */
const alone = requires(suite('build: fixtures'), 'userns', 'busybox');
const both = requires(suite('build: as buildah'), 'userns', 'subid', 'busybox', 'buildah');

const mapped = requires(suite('build: fixtures with users'), 'userns', 'subid', 'busybox');
/** Where a RUN becomes a user, that user must exist. */
const USERS = ['run-user'];

let copy: string | undefined;

async function prepared(): Promise<string> {
  if (copy !== undefined) return copy;
  const box = await busybox();
  copy = join(box.home.dir, 'fixtures');
  if (!existsSync(copy)) copyFixtures(copy);
  return copy;
}

let hasPeer = false;

async function preparePeer(): Promise<void> {
  if (hasPeer) return;
  hasPeer = true;
  const { home } = await busybox();
  configurePeers(home);
  runIn(home)('buildah', 'pull', '-q', 'docker-archive:busybox.tar');
}

/** Buildah takes a second or more for each: in CI every fourth is compared, with --long all of them. */
const isChosen = (index: number): boolean => process.env.TSBOX_TEST_LONG !== undefined || index % 4 === 1;

for (const [index, name] of fixtureNames().entries()) {
  const isOwn = name.startsWith('own-');
  if (isOwn) alone(name, async () => void (await ours(fixture(name, await prepared()))));
  else if (isChosen(index)) both(name, async () => compare(fixture(name, await prepared())));
  else
    (USERS.includes(name) ? mapped : alone)(
      name,
      async () => void (await ours(fixture(name, await prepared()))),
    );
}

/** The config that it makes. */
async function ours(built: Fixture): Promise<object> {
  const [box, dir] = [await busybox(), await prepared()];
  setIgnore(dir, built);
  const here = box.with({ cwd: dir });
  const flags = ['-q', '--network', 'none', ...built.args, '-f', built.file];
  await here.ok('build', ...flags, '-t', 'ours', 'context');
  return JSON.parse(await box.ok('image', 'inspect', '--format', '{{json .Config}}', 'ours')) as object;
}

async function compare(built: Fixture): Promise<void> {
  const config = await ours(built);
  const [box, dir] = [await busybox(), await prepared()];
  const tree = join(box.home.dir, 'tree.tar');
  const flags = ['-q', ...built.args, '-f', built.file];
  const here = box.with({ cwd: dir });
  await here.ok('build', '--network', 'none', ...flags, '-o', `type=tar,dest=${tree}`, 'context');
  await preparePeer();
  const run = runIn({ ...box.home, dir });
  const how = ['--isolation', 'chroot', '--format', 'docker', '--pull-never'];
  run('buildah', 'bud', ...how, ...flags, '-t', 'theirs', 'context');
  const image = run('buildah', 'images', '-q', '--no-trunc', 'theirs').split('\n')[0] ?? '';
  const theirs = await buildah(box.home).held(image);
  run('buildah', 'rm', '--all');
  const { Volumes = {} } = config as { Volumes?: object | null };
  const volumes = Object.keys(Volumes ?? {}).map(path => path.replace(/^\//, ''));
  assert.equal(plainTree(await listTar(createReadStream(tree)), volumes), plainTree(theirs.tree, volumes));
  const text = run('buildah', 'inspect', '--type', 'image', 'theirs');
  const { Docker } = JSON.parse(text) as { Docker: { config: object } };
  assert.equal(plainConfig(config), plainConfig(Docker.config));
}

alone.run();
mapped.run();
both.run();
