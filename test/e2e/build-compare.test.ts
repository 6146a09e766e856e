import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  copyFixtures,
  type Fixture,
  fixture,
  fixtureNames,
  setIgnore,
  tableRow,
} from '../support/build-fixtures.ts';
import { libraryScene } from '../support/build-library.ts';
import { buildahHolds, sameAsBuildah } from '../support/build-peer.ts';
import { note } from '../support/note.ts';
import { busybox } from '../support/ready.ts';
import { hasSubids, requires } from '../support/requires.ts';
import { readProject } from '../support/source.ts';

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

const isLong = process.env.TSBOX_TEST_LONG !== undefined;
/** Buildah takes a second or more for each: in CI every sixth is compared, with --long all of them. */
const isChosen = (index: number): boolean => isLong || index % 6 === 1;

/** In CI half of the others are built with subordinate ids and half without. */
const isHere = (index: number): boolean => isLong || hasSubids() === (index % 2 === 1);

for (const [index, name] of fixtureNames().entries()) {
  const isOurs = fixture(name).onlyTsbox !== undefined;
  if (!isOurs && isChosen(index)) both(name, async () => compare(fixture(name, await prepared())));
  else if (isOurs || USERS.includes(name) || isHere(index))
    (USERS.includes(name) ? mapped : alone)(name, async () => byLibrary(fixture(name, await prepared())));
}

alone('the table of the documentation has a row for each', () => {
  const table = readProject('docs/build-comparison.md');
  const rows = table.split('\n').filter(line => /^\| (?!Dockerfile|---)/.test(line));
  assert.equal(
    rows,
    fixtureNames().map(name => tableRow(fixture(name))),
  );
});

/** It checks itself, or is compared elsewhere: here it must only be built. No program is started for it. */
async function byLibrary(built: Fixture): Promise<void> {
  const dir = await prepared();
  setIgnore(dir, built);
  const { tsbox } = await libraryScene();
  await tsbox.build({
    context: join(dir, 'context'),
    dockerfile: built.file,
    network: 'none',
    ...optionsOf(built, dir),
  });
  if (isLong) note(tableRow(built));
}

/** The words of `# args:` as the library has them. */
function optionsOf({ args }: Fixture, dir: string) {
  const after = (flag: string): string[] => args.flatMap((word, i) => (args[i - 1] === flag ? [word] : []));
  const pairs = (text: string): Record<string, string> =>
    Object.fromEntries(text.split(',').map(pair => pair.split('=') as [string, string]));
  const [target] = after('--target');
  return {
    buildArgs: Object.assign({}, ...after('--build-arg').map(pairs)) as Record<string, string>,
    secrets: after('--secret')
      .map(pairs)
      .map(({ id = '', src = '' }) => ({ id, file: join(dir, src) })),
    ...(target !== undefined && { target }),
  };
}

async function compare(built: Fixture): Promise<void> {
  const [box, dir] = [await busybox(), await prepared()];
  setIgnore(dir, built);
  await buildahHolds(box, 'busybox.tar');
  await sameAsBuildah(box, {
    dir,
    args: ['--network', 'none', ...built.args, '-f', built.file],
    peerArgs: [...built.args, '-f', built.file],
    differs: [...built.differs.keys()],
  });
  if (isLong) note(tableRow(built));
}

alone.run();
mapped.run();
both.run();
