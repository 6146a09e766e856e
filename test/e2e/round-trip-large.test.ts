// run as: ranges
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { oddBlobs, oddImage } from '../support/odd-image.ts';
import { requires } from '../support/requires.ts';
import { configurePeers, podman, skopeo, stopPodman, storeTree, writeLayout } from '../support/round-trip.ts';
import { tempHome } from '../support/temp-home.ts';

/** A file of 9 GiB, sparse where it can be: its size does not fit into a tar header's octal field. buildah reads with podman's library. */
const test = requires(suite('round trip: 9 GiB'), 'long', 'userns', 'podman', 'skopeo');
const home = tempHome();
const SIZE = 9 * 2 ** 30;

test.before(() => configurePeers(home));
test.after(() => stopPodman(home));

test('a file of 9 GiB survives load and save, in the eyes of everybody', async () => {
  const box = openBox(home, { limit: 170_000 });
  const image = oddImage({ large: true });
  const source = join(home.dir, 'source');
  writeLayout(source, oddBlobs(image));
  await box.ok('load', '-i', source);
  const layers = await box.ok('image', 'inspect', '--format', '{{join .RootFS.Layers " "}}', 'odd:1');
  const tree = await storeTree(home, layers.split(' '));
  const large = tree.get('odd/large');
  assert.is(large?.size, SIZE);
  const path = join(home.dir, 'saved.tar');
  await box.ok('save', '-o', path, 'odd:1');
  for (const make of [skopeo, podman]) {
    const peer = make(home);
    const held = await peer.held(peer.load(path, 'docker-archive'));
    assert.equal(held.tree.get('odd/large'), large, peer.name);
    peer.clear();
  }
  rmSync(path);
});

test.run();
