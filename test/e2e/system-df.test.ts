import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

const test = requires(suite('system df'), 'userns', 'busybox');
test.after.each(removeContainers);

const MB = 1_000_000;

test('each kind with what is used and what could be freed', async () => {
  const box = await busybox();
  const base = busyboxImage();
  const image = { ...base, layers: [...base.layers, layerWith({ 'srv/big': 'b'.repeat(3 * MB) })] };
  await box.ok('load', '-q', '-i', dockerArchive(image, 'big:latest', join(box.home.dir, 'big.tar')));
  const write = 'head -c 2000000 /dev/zero > /root/x; head -c 500000 /dev/zero > /data/y';
  await box.ok(
    'run',
    '--name',
    'writer',
    '-v',
    'vol:/data',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    write,
  );
  await box.ok('volume', 'create', 'empty');
  const rows = (await box.ok('system', 'df')).split('\n').map(line => line.split(/ {2,}/));
  assert.equal(rows[0], ['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE']);
  assert.equal(rows[1]?.slice(0, 3), ['Images', '2', '1']);
  assert.match(rows[1]?.[4] ?? '', /^3MB \(\d+%\)$/);
  assert.equal(rows[2], ['Containers', '1', '0', '2MB', '2MB (100%)']);
  assert.equal(rows[3], ['Local Volumes', '2', '1', '500kB', '0B (0%)']);
  assert.equal(rows[4]?.[0], 'Blobs');
  const template = '{{.Type}}:{{.TotalCount}}';
  assert.match(
    await box.ok('system', 'df', '--format', template),
    /^Images:2\nContainers:1\nLocal Volumes:2\nBlobs:\d+$/,
  );
  const [first = ''] = (await box.ok('system', 'df', '--format', 'json')).split('\n');
  assert.is(JSON.parse(first).Active, '1');
});

test('-v: shared and unique sizes, each container and volume', async () => {
  const box = await busybox();
  await box.ok(
    'run',
    '--name',
    'writer',
    '--network',
    'none',
    'big',
    'sh',
    '-c',
    'head -c 70000 /dev/zero > /root/x',
  );
  const out = await box.ok('system', 'df', '-v');
  assert.match(
    out,
    /^Images space usage:\n\nREPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS\n/,
  );
  const big = out.split('\n').find(line => line.startsWith('big ')) ?? '';
  assert.match(big, / 3MB +1$/);
  const busyboxLine = out.split('\n').find(line => line.startsWith('busybox ')) ?? '';
  assert.match(busyboxLine, / 0B +0$/);
  const shared = (line: string) => line.split(/ {2,}/)[5];
  assert.is(shared(big), shared(busyboxLine));
  assert.match(out, /\nContainers space usage:\n\nCONTAINER ID .* SIZE .*\n.* 70kB .* writer\n/);
  assert.match(out, /\nLocal Volumes space usage:\n\nVOLUME NAME +LINKS +SIZE\nempty +0 +0B\nvol +0 +500kB$/);
  const json = JSON.parse(await box.ok('system', 'df', '-v', '--format', 'json'));
  assert.is(json.Volumes.find((v: { Name: string }) => v.Name === 'vol').Size, '500kB');
});

test.run();
