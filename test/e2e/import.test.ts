import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { busyboxImage } from '../support/images.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** import: --change, --message, --platform, compressions. */
const test = requires(suite('import'), 'userns', 'busybox', 'xz');
const home = tempHome();
const box = openBox(home);
const root = join(home.dir, 'root.tar');
const inspect = async (name: string, template: string): Promise<string> =>
  box.ok('image', 'inspect', '--format', template, name);

test.before(() => writeFileSync(root, busyboxImage().layers[0] ?? ''));

test('--change sets what the container runs, as whom, where, with what', async () => {
  const changes = [
    'CMD ["sh", "-c", "echo $GREETING; id -un; pwd"]',
    'ENV GREETING="hello world"',
    'USER root',
    'WORKDIR /home/app',
    'LABEL org.example.name=imported',
    'EXPOSE 8080/tcp',
    'STOPSIGNAL SIGINT',
  ];
  const flags = changes.flatMap(change => ['-c', change]);
  await box.ok('import', ...flags, '--message', 'made from a tarball', root, 'changed:1');
  assert.is(await inspect('changed:1', '{{.Comment}}'), 'made from a tarball');
  assert.is(await inspect('changed:1', '{{index .Config.Labels "org.example.name"}}'), 'imported');
  assert.is(await inspect('changed:1', '{{json .Config.ExposedPorts}}'), '{"8080/tcp":{}}');
  assert.is(await inspect('changed:1', '{{.Config.StopSignal}}'), 'SIGINT');
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'changed:1'), 'hello world\nroot\n/home/app');
});

test('a bad change, platform or name is found before anything is read', async () => {
  await box.fails(125, /RUN true/, 'import', '-c', 'RUN true', root, 'bad:1');
  await box.fails(125, /EXPOSE/, 'import', '--change', 'EXPOSE 99999', root, 'bad:1');
  await box.fails(125, /platform/, 'import', '--platform', '///', root, 'bad:1');
  assert.not.match(await box.ok('images'), /bad/);
});

test('xz: the layer is kept uncompressed, since layers cannot be xz', async () => {
  const packed = spawnSync('xz', ['-0', '-c', root], { maxBuffer: 1 << 28 }).stdout;
  const id = await box.with({ input: packed }).ok('import', '-', 'xz:1');
  assert.is(await box.ok('images', '-q', '--no-trunc', 'xz:1'), id);
  const index = readFileSync(join(home.store, 'images/index.json'), 'utf8');
  const { manifests } = JSON.parse(index) as {
    manifests: { digest: string; annotations: Record<string, string> }[];
  };
  const entry = manifests.find(m => m.annotations['io.tsbox.image-id'] === id);
  const manifest = readFileSync(
    join(home.store, 'images/blobs/sha256', entry?.digest.slice(7) ?? ''),
    'utf8',
  );
  assert.match(manifest, /layer\.v1\.tar"/);
  const damaged = Buffer.concat([packed.subarray(0, packed.length - 2000), Buffer.alloc(100)]);
  await box.with({ input: damaged }).fails(125, /xz data/, 'import', '-', 'damaged:1');
});

test('--platform says what the image is for', async () => {
  await box.ok('import', '--platform', 'linux/arm/v7', root, 'arm:1');
  assert.is(await inspect('arm:1', '{{.Os}}/{{.Architecture}}/{{.Variant}}'), 'linux/arm/v7');
});

test.run();
