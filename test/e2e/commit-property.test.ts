import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox } from '../support/cli.ts';
import { layerOf } from '../support/images.ts';
import { randomChanges, randomFrom } from '../support/random-changes.ts';
import { hasSubids, missingNeed, type Need, requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';
import { within } from '../support/within.ts';

/**
 * Random changes made inside of a real container, committed, and looked at in a container of the new image, which must see exactly what
 * the first one saw: three layers on top of each other, on every storage driver. The seed of a failure is in its name:
 * TSBOX_TEST_SEED=N repeats it.
 */
const test = requires(suite('commit: what the container saw'), 'userns', 'cc');
const DRIVERS: Readonly<Record<string, readonly Need[]>> = {
  overlay: ['overlay'],
  'fuse-overlayfs': ['fuse', 'fuse-overlayfs'],
  vfs: [],
};
const GENERATIONS = 3;
const OPERATIONS = 60;
const short = missingNeed('long') !== undefined;
const rounds = short ? 2 : 40;
const given = process.env.TSBOX_TEST_SEED;
// What a change is judged by must not change from run to run; new ground is for the long run.
const first = given !== undefined ? Number(given) : short ? 1 : Date.now() % 1_000_000;

let shared: Promise<Box> | undefined;

/** One home for all tests; its image holds the program and an empty directory. */
const box = (): Promise<Box> => {
  shared ??= prepare();
  return shared;
};

async function prepare(): Promise<Box> {
  const made = openBox();
  const dir = mkdtempSync(join(made.home.dir, 'tree-'));
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 't'));
  const args = ['-static', '-O1', '-o', join(dir, 'tree'), join(PROJECT, 'test/fixtures/tree.c')];
  const compiled = spawnSync('cc', args, { encoding: 'utf8' });
  assert.is(compiled.status, 0, compiled.stderr);
  const archive = join(made.home.dir, 'tree.tar');
  writeFileSync(archive, layerOf(dir));
  await made.ok('import', '-c', 'ENTRYPOINT ["/tree"]', archive, 'tree');
  return made;
}

interface Container {
  readonly driver: string;
  readonly image: string;
  readonly name: string;
}

/** Makes the changes in a new container; returns what it sees after them. */
async function change(tsbox: Box, { driver, image, name }: Container, script: string): Promise<string[]> {
  const run = ['run', '-i', '--name', name, '--network', 'none', '--storage-driver', driver];
  const saw = await tsbox.with({ input: `${script}\n` }).ok(...run, image, '/t');
  // The kernel has times of its own for files just written through FUSE; the next mount shows those of the disk.
  return listing(driver === 'fuse-overlayfs' ? await tsbox.ok('start', '-ai', name) : saw);
}

/** What a container of the image sees. */
async function look(tsbox: Box, driver: string, image: string): Promise<string[]> {
  const run = ['run', '--rm', '--network', 'none', '--storage-driver', driver];
  return listing(await tsbox.ok(...run, image, '/t'));
}

/** With one id there are no setuid bits in an unpacked layer: its archive has them. */
function listing(text: string): string[] {
  const plain = (mode: string): string => (Number.parseInt(mode, 8) & ~0o6000).toString(8).padStart(6, '0');
  const lines = text.split('\n');
  return hasSubids() ? lines : lines.map(line => line.replace(/(?<= )\d{6}(?= \d+:)/, plain));
}

/**
 * overlayfs without an index numbers a file of the lower layers that was linked anew as two files, each alone with a link
 * count of two (overlayfs.rst, "Inode properties"): the image, where they are one, is right.
 */
function comparable(saw: string[], image: string[]): [string[], string[]] {
  const alone = new Set(saw.filter(line => / same as (.*)$/.exec(line)?.[1] === line.split(' ')[0]));
  const plain = (lines: string[]) =>
    lines.map((line, i) => (alone.has(saw[i] ?? '') ? line.replace(/ same as .*$/, '') : line));
  return [plain(saw), plain(image)];
}

/** One chain of images; `seed` alone decides what happens. */
async function chain(driver: string, seed: number): Promise<void> {
  const tsbox = await box();
  const random = randomFrom(seed);
  let image = 'tree';
  for (let generation = 1; generation <= GENERATIONS; generation++) {
    const name = `${driver}-${seed}-${generation}`;
    const script = randomChanges(random, OPERATIONS);
    const saw = await change(tsbox, { driver, image, name }, script);
    image = `${name}:latest`;
    await tsbox.ok('commit', name, image);
    const where = `seed ${seed}, ${driver}, generation ${generation}`;
    const [before, after] = comparable(saw, await look(tsbox, driver, image));
    assert.equal(after, before, where);
    await agrees(tsbox, name);
    await tsbox.ok('rm', name);
  }
}

/** `diff` of a container whose image has all of its changes would be empty: here only what it lists must exist or be gone. */
async function agrees(tsbox: Box, container: string): Promise<void> {
  const lines = (await tsbox.ok('diff', container)).split('\n').filter(line => line !== '');
  const bad = lines.filter(line => !/^[ACD] \/t($|\/)/.test(line));
  assert.equal(bad, []);
  const paths = lines.map(line => line.slice(2));
  assert.is(new Set(paths).size, paths.length, 'a path is listed twice');
}

for (const [driver, needs] of Object.entries(DRIVERS)) {
  const here = requires(test, ...needs);
  for (let round = 0; round < (given === undefined ? rounds : 1); round++) {
    const seed = first + round;
    here(`${driver}, seed ${seed}`, () => within(60_000, chain(driver, seed)));
  }
}

test('a new name for a file of the image brings the old one along', () =>
  within(60_000, chain('vfs', 354466)));

test('another driver sees the same', async () => {
  if (missingNeed('overlay')) return;
  const tsbox = await box();
  const script = randomChanges(randomFrom(first), OPERATIONS);
  const saw = await change(tsbox, { driver: 'vfs', image: 'tree', name: 'made-by-vfs' }, script);
  await tsbox.ok('commit', 'made-by-vfs', 'made-by-vfs');
  assert.equal(await look(tsbox, 'overlay', 'made-by-vfs'), saw, `seed ${first}`);
});

test.run();
