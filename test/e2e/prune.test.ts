import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Box } from '../support/cli.ts';
import { busyboxImage, configBytes, digestOf, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** container, image, volume and system prune; untag. */
const test = requires(suite('prune'), 'userns', 'busybox');
test.after.each(removeContainers);

const RUN = ['run', '--network', 'none'];

/** Loads busybox with one more layer; its id. */
async function load(box: Box, name: string, files: Record<string, string>): Promise<string> {
  const base = busyboxImage();
  const image = { layers: [...base.layers, layerWith(files)], config: { ...base.config, Labels: { name } } };
  await box.ok('load', '-q', '-i', dockerArchive(image, `${name}:latest`, join(box.home.dir, `${name}.tar`)));
  return digestOf(configBytes(image));
}

const names = async (box: Box): Promise<string[]> =>
  (await box.ok('images', '--format', '{{.Repository}}')).split('\n').sort();

test('container prune: what runs stays; what was written is counted', async () => {
  const box = await busybox();
  const up = await box.ok(...RUN, '-d', '--name', 'up', 'busybox', 'sleep', '1000');
  const write = 'head -c 1000000 /dev/zero > /root/big; mkdir -m 700 /root/shut; chown 5 /root/shut; exit 3';
  await box(...RUN, '--name', 'ended', 'busybox', 'sh', '-c', write);
  const ended = await box.ok('inspect', '-f', '{{.Id}}', 'ended');
  const made = await box.ok('create', '--label', 'keep=1', 'busybox', 'true');
  assert.is(await box.ok('container', 'prune', '-f', '--filter', 'until=24h'), 'Total reclaimed space: 0B');
  const out = await box.ok('container', 'prune', '-f', '--filter', 'label!=keep');
  assert.is(out, `Deleted Containers:\n${ended}\n\nTotal reclaimed space: 1MB`);
  assert.equal((await box.ok('ps', '-aq', '--no-trunc')).split('\n').sort(), [up, made].sort());
});

test('the question: only y is yes; -f does not ask', async () => {
  const box = await busybox();
  const id = await box.ok('create', 'busybox', 'true');
  const question =
    'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ';
  for (const input of ['n\n', '', 'yes\n', '\ny\n']) {
    assert.is(await box.with({ input }).ok('container', 'prune'), question, JSON.stringify(input));
  }
  assert.is(
    await box.with({ input: 'Y\n' }).ok('container', 'prune'),
    `${question}Deleted Containers:\n${id}\n\nTotal reclaimed space: 0B`,
  );
});

test('image prune: dangling ones; -a all that no container was made from', async () => {
  const box = await busybox();
  const old = await load(box, 'app', { 'srv/old': 'o'.repeat(5000) });
  const other = await load(box, 'other', { 'srv/other': 'x' });
  await box.ok('untag', 'app');
  assert.equal(await names(box), ['<none>', 'busybox', 'other']);
  const [head, ...rest] = (await box.ok('image', 'prune', '-f')).split('\n');
  assert.is(head, 'Deleted Images:');
  assert.is(rest[0], `deleted: ${old}`);
  assert.match(rest[1] ?? '', /^deleted: sha256:[0-9a-f]{64}$/);
  assert.match(rest.at(-1) ?? '', /^Total reclaimed space: \d[\d.]*kB$/);
  assert.is(await box.ok('image', 'prune', '-f'), 'Total reclaimed space: 0B');
  await box.ok('create', 'busybox', 'true');
  for (const filter of ['label=name=nobody', 'until=2020-01-01', 'label!=name', 'dangling=true']) {
    assert.is(await box.ok('image', 'prune', '-af', '--filter', filter), 'Total reclaimed space: 0B', filter);
  }
  const out = await box.ok('image', 'prune', '-af', '--filter', 'label=name=other');
  assert.ok(out.startsWith(`Deleted Images:\nuntagged: other:latest\ndeleted: ${other}\n`), out);
  assert.equal(await names(box), ['busybox']);
  await box.fails(125, /no filter "colour"/, 'image', 'prune', '-f', '--filter', 'colour=red');
});

test('untag takes all names or those given; podman’s rules', async () => {
  const box = await busybox();
  const id = await load(box, 'app', { 'srv/app': '1' });
  for (const name of ['app:2', 'app:3']) await box.ok('tag', 'app', name);
  await box.ok('untag', 'app', 'app:2', 'app:3');
  assert.is(await box.ok('images', '--format', '{{.Tag}}', 'app'), 'latest');
  await box.fails(1, /has no name app:2/, 'untag', 'app', 'app:2');
  await box.fails(1, /no such image/, 'untag', 'nobody');
  await box.ok('image', 'untag', id);
  assert.is(await box.ok('images', '--format', '{{.Repository}}', '--filter', 'dangling=true'), '<none>');
  await box.ok('rmi', id);
});

test('volume prune: anonymous ones that nobody mounts; -a all', async () => {
  const box = await busybox();
  await box.ok(...RUN, '-v', '/data', 'busybox', 'sh', '-c', 'echo 123456789 > /data/x');
  await box.ok('volume', 'create', 'named');
  await box.ok('create', '-v', 'used:/data', 'busybox', 'true');
  const [anonymous = ''] = (await box.ok('volume', 'ls', '-q')).split('\n');
  assert.is(await box.ok('volume', 'prune', '-f'), 'Total reclaimed space: 0B');
  await box.ok('container', 'prune', '-f', '--filter', 'until=1ms');
  await box.ok('create', '-v', 'used:/data', 'busybox', 'true');
  assert.match(
    await box.ok('volume', 'prune', '-f'),
    new RegExp(`^Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 10B$`),
  );
  assert.match(await box.ok('volume', 'prune', '-af'), /^Deleted Volumes:\nnamed\n\n/);
  assert.is(await box.ok('volume', 'ls', '-q'), 'used');
  await removeContainers();
  await box.ok('volume', 'prune', '-f', '-a');
});

test('system prune: docker’s question and one sum', async () => {
  const box = await busybox();
  await load(box, 'app', { 'srv/app': '1' });
  await box.ok('create', '--name', 'old', 'busybox', 'true');
  const asked = await box.with({ input: 'n\n' }).ok('system', 'prune', '--volumes', '--filter', 'label=a=b');
  assert.is(
    asked,
    [
      'WARNING! This will remove:',
      '  - all stopped containers',
      '  - all networks not used by at least one container',
      '  - all anonymous volumes not used by at least one container',
      '  - all dangling images',
      '  - unused build cache',
      '',
      '  Items to be pruned will be filtered with:',
      '  - label==a=b',
      '',
      'Are you sure you want to continue? [y/N] ',
    ].join('\n'),
  );
  await box.fails(
    125,
    /"until" filter is not supported/,
    'system',
    'prune',
    '-f',
    '--volumes',
    '--filter',
    'until=1h',
  );
  await box.ok('network', 'create', 'lonely');
  await box.ok('system', 'prune', '-f');
  assert.not.match(await box.ok('network', 'ls'), /lonely/);
  assert.equal(await names(box), ['app', 'busybox']);
  assert.is(await box.ok('ps', '-aq'), '');
  const out = await box.ok('system', 'prune', '-af', '--volumes');
  assert.match(out, /^Deleted Images:\nuntagged: /);
  assert.is(out.match(/Total reclaimed space: /g)?.length, 1);
  assert.equal(readdirSync(join(box.home.store, 'layers')), []);
  assert.equal(readdirSync(join(box.home.store, 'images/blobs/sha256')), []);
  assert.equal(readdirSync(join(box.home.store, 'tmp')), []);
  assert.ok(existsSync(join(box.home.store, 'images/index.json')));
});

test.run();
