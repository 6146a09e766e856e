// run as: ranges
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { digestOf, type TestImage } from '../support/images.ts';
import { oddBlobs, oddImage } from '../support/odd-image.ts';
import { requires } from '../support/requires.ts';
import {
  buildah,
  configurePeers,
  digestIn,
  FORMATS,
  type Format,
  podman,
  skopeo,
  stopPodman,
  storeTree,
  writeLayout,
} from '../support/round-trip.ts';
import { compareTrees, documentedRows, type Row, rowOf } from '../support/round-trip-table.ts';
import { tempHome } from '../support/temp-home.ts';
import { type Listed, type Listing, listTar } from '../support/tree-listing.ts';

/** An image with everything that tools have ever lost goes from tsbox to each of them and back; docs/round-trip.md has the table. */
const test = requires(suite('round trip'), 'userns', 'podman', 'buildah', 'skopeo');

const home = tempHome();
const image = oddImage();
const blobs = oddBlobs(image);
const ID = digestOf(blobs.config);
const DIGEST = digestOf(blobs.manifest);
const source = join(home.dir, 'source');
/** The store that saves, and the one that loads what others saved. */
const from = openBox(home, { limit: 60_000 });
const to = openBox(tempHome('to'), { limit: 60_000 });
const rows: string[] = [];
let expected: Listing;

async function treeOfImage({ layers }: TestImage): Promise<Listing> {
  const tree = new Map<string, Listed>();
  for (const layer of layers) for (const [name, listed] of await listTar(one(layer))) tree.set(name, listed);
  return tree;
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

test.before(async () => {
  configurePeers(home);
  writeLayout(source, blobs);
  expected = await treeOfImage(image);
  await from.ok('load', '-i', source);
  for (const format of FORMATS) await from.ok('save', '--format', format, '-o', archiveOf(format), 'odd:1');
});
test.after(() => stopPodman(home));

const archiveOf = (format: Format): string => join(home.dir, `saved-${format}`);

function rowFor(held: { id: string; digest: string; tree: Listing }, digest = DIGEST): Row {
  const { cells, problems } = compareTrees(expected, held.tree);
  assert.equal(problems, []);
  const same = held.id === ID ? 'yes' : 'no';
  return { ...cells, digest: held.digest === digest ? 'yes' : 'id', 'config and history': same } as Row;
}

/** What tsbox has after loading an archive; its store is empty again afterwards. */
async function loadBack(path: string): Promise<{ id: string; digest: string; tree: Listing }> {
  await to.ok('load', '-i', path);
  const id = await to.ok('images', '-q', '--no-trunc');
  const layers = await to.ok('image', 'inspect', '--format', '{{join .RootFS.Layers " "}}', id);
  const index = readFileSync(join(to.home.store, 'images/index.json'), 'utf8');
  const { manifests } = JSON.parse(index) as { manifests: { digest: string }[] };
  const tree = await storeTree(to.home, layers.split(' '));
  await to.ok('rmi', '-f', id);
  return { id, digest: manifests[0]?.digest ?? '', tree };
}

test('the comparison sees what is lost', () => {
  const lost: Record<string, Partial<Listed>> = {
    owners: { owner: '0:0' },
    modes: { mode: '755' },
    times: { mtime: '1.000000000' },
    'hard links': { links: 'a b' },
    xattrs: { xattrs: { 'user.lost': '00' } },
    capabilities: { xattrs: { 'security.capability': '00' } },
    content: { content: '' },
  };
  for (const [property, change] of Object.entries(lost)) {
    const changed = new Map(expected);
    changed.set('odd/owned', { ...(expected.get('odd/owned') as Listed), ...change });
    const { cells } = compareTrees(expected, changed);
    assert.equal(
      Object.entries(cells).flatMap(([name, cell]) => (cell === 'no' ? [name] : [])),
      [property],
    );
  }
});

for (const make of [podman, buildah, skopeo]) {
  const peer = make(home);
  for (const format of FORMATS) {
    test(`tsbox → ${peer.name}, ${format}`, async () => {
      const held = await peer.held(peer.load(archiveOf(format), format));
      peer.clear();
      rows.push(rowOf(`tsbox → ${peer.name}, ${format}`, rowFor(held)));
    });
  }
  test(`${peer.name} → tsbox, all formats`, async () => {
    const image = peer.load(source, 'oci-dir');
    for (const format of FORMATS) {
      const path = join(home.dir, `${peer.name}-${format}`);
      peer.save(image, path, format);
      const digest = digestIn(home, path, format);
      rows.push(rowOf(`${peer.name} → tsbox, ${format}`, rowFor(await loadBack(path), digest)));
      rmSync(path, { recursive: true });
    }
    peer.clear();
  });
}

test('docs/round-trip.md has this table', () => {
  assert.equal(documentedRows('The table'), rows);
});

/** Everybody must see in `path` what `wanted` has. */
async function allRead(path: string, wanted: Listing): Promise<void> {
  for (const make of [podman, buildah, skopeo]) {
    const peer = make(home);
    const held = await peer.held(peer.load(path, 'docker-archive'));
    peer.clear();
    assert.equal(compareTrees(wanted, held.tree).problems, [], peer.name);
  }
}

test('a sparse file: everybody reads what tsbox saves', async () => {
  const sparse = oddImage({ sparseFiles: true });
  writeLayout(join(home.dir, 'sparse'), oddBlobs(sparse));
  await to.ok('load', '-i', join(home.dir, 'sparse'));
  const path = join(home.dir, 'sparse.tar');
  await to.ok('save', '-o', path, 'odd:1');
  await allRead(path, await treeOfImage(sparse));
  await to.ok('rmi', 'odd:1');
});

test('layers whose blobs were dropped are packed anew, with everything in them', async () => {
  const config = join(home.dir, 'config.toml');
  writeFileSync(config, '[images]\nkeep_blobs = false\n');
  await to.ok('--config', config, 'load', '-i', join(home.dir, 'sparse'));
  const path = join(home.dir, 'packed.tar');
  const done = await to('--config', config, 'save', '-o', path, 'odd:1');
  assert.is(done.code, 0, done.stderr);
  assert.match(done.stderr, /warning: .*packed anew.* id/);
  await allRead(path, await treeOfImage(oddImage({ sparseFiles: true })));
  await to.ok('rmi', 'odd:1');
});

test.run();
