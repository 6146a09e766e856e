import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { ImageStore } from '../../../src/store/images.ts';
import { configBytes, ociBlobs } from '../../support/images.ts';
import { requires } from '../../support/requires.ts';
import { archive, file } from '../../support/tar-bytes.ts';

/** The store is an OCI layout that other tools read in place. */
const test = requires(suite<{ dir: string }>('store: skopeo reads it'), 'skopeo');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-layout-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('skopeo', args, { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return stdout;
}

const image = (text: string) => ({ layers: [archive(file('f', text))], config: { Cmd: ['sh'] } });

async function addImage(dir: string, name: string, text: string): Promise<string> {
  const images = new ImageStore(dir, join(dir, 'tmp'));
  const made = ociBlobs(image(text));
  for (const bytes of made.blobs.values()) await images.blobs.put(bytes);
  const descriptor = { mediaType: made.mediaType, digest: sha256(made.manifest), size: made.manifest.length };
  await images.add(name, descriptor, { size: 5, digests: [`docker.io/library/x@${sha256('index')}`] });
  return descriptor.digest;
}

test('inspect by name, among several images and names', async ({ dir }) => {
  const one = await addImage(dir, 'app:1', 'one');
  const two = await addImage(dir, 'localhost:5000/team/app:2', 'two');
  await new ImageStore(dir, join(dir, 'tmp')).tag(sha256(configBytes(image('one'))), 'again');
  for (const [name, digest] of [
    ['docker.io/library/app:1', one],
    ['docker.io/library/again:latest', one],
    ['localhost:5000/team/app:2', two],
  ]) {
    const found = JSON.parse(skopeo('inspect', `oci:${dir}:${name}`)) as { Digest: string; Layers: string[] };
    assert.is(found.Digest, digest, name);
    assert.is(found.Layers.length, 1);
  }
});

test('copy takes an image out with all its blobs', async ({ dir }) => {
  const digest = await addImage(dir, 'app:1', 'one');
  const target = join(dir, 'copy.tar');
  skopeo('copy', '--insecure-policy', `oci:${dir}:docker.io/library/app:1`, `oci-archive:${target}:app:1`);
  const found = JSON.parse(skopeo('inspect', `oci-archive:${target}:app:1`)) as { Digest: string };
  assert.is(found.Digest, digest);
});

test.run();
