import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { downloadBlob } from '../../../src/registry/download.ts';
import { getManifest, headManifest } from '../../../src/registry/manifests.ts';
import { blob, connect, FAST, failsWith, Memory, registrySuite } from '../../support/registry-scene.ts';

const test = registrySuite('registry/client');

test('gets a manifest and its digest', async ({ registry, client }) => {
  const image = registry.addImage('a/b', 'latest', [Buffer.from('x')]);
  assert.is(await headManifest(client, 'latest'), image.digest);
  const got = await getManifest(client, 'latest');
  assert.is(got.digest, image.digest);
  assert.equal(got.bytes, image.manifest);
});

test('gets a large blob', async ({ registry, client }) => {
  const wanted = blob(registry, 5_000_000);
  const sink = new Memory();
  await downloadBlob(client, wanted, sink);
  assert.ok(sink.bytes.equals(wanted.bytes));
});

test('an empty blob needs no request', async ({ registry, client }) => {
  await downloadBlob(client, { digest: sha256(''), size: 0 }, new Memory());
  assert.is(registry.seen.length, 0);
});

test('an unknown tag is NOT_FOUND', async ({ client }) => {
  await failsWith(getManifest(client, 'nosuch'), 'NOT_FOUND', /a\/b:nosuch: the registry has no such tag/);
});

test('a manifest that is not what its digest says is refused', async ({ registry, client }) => {
  const { digest } = registry.addImage('a/b', 'latest', []);
  registry.mischief = () => ({ corrupt: true });
  await failsWith(getManifest(client, digest), 'DIGEST', /instead of/);
  await failsWith(getManifest(client, 'latest'), 'DIGEST', /instead of/);
});

test('a huge manifest is refused without reading it all', async ({ registry, client }) => {
  registry.addManifest('a/b', 'latest', 'application/json', Buffer.alloc(6 << 20, 0x20));
  await failsWith(getManifest(client, 'latest'), 'MANIFEST', /larger than/);
});

test('HTML is named as such', async ({ registry, client }) => {
  registry.mischief = () => ({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<html>Welcome</html>',
  });
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /answered HTML, not a registry/);
  await failsWith(downloadBlob(client, blob(registry, 10), new Memory()), 'REGISTRY', /answered HTML/);
  registry.mischief = () => ({
    status: 404,
    headers: { 'content-type': 'text/html' },
    body: '<html>Not here</html>',
  });
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /answered HTML/);
});

test('an error body with terminal escapes is cleaned', async ({ registry, client }) => {
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'go \u001b[2Jaway\r\nnow\u202e' }] });
  registry.mischief = () => ({ status: 418, body });
  const error = await failsWith(getManifest(client, 'latest'), 'REGISTRY', /HTTP 418: go \[2Jaway now$/);
  assert.not.match(error.message, /\p{Cc}/u);
});

test('a 503 is tried again, and again only so often', async ({ registry, client }) => {
  const { digest } = registry.addImage('a/b', 'latest', []);
  registry.mischief = (_, nth) => (nth < 3 ? { status: 503 } : undefined);
  assert.is((await getManifest(client, 'latest')).digest, digest);
  registry.mischief = () => ({ status: 502, body: '<html>bad gateway</html>' });
  await failsWith(getManifest(client, 'other'), 'REGISTRY', /HTTP 502/);
  assert.is(registry.count(/other/), FAST.attempts);
});

test('Retry-After is waited for and said', async scene => {
  const { registry, client } = scene;
  const { digest } = registry.addImage('a/b', 'latest', []);
  registry.mischief = (_, nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined);
  const start = performance.now();
  assert.is((await getManifest(client, 'latest')).digest, digest);
  assert.ok(performance.now() - start > 900);
  assert.match(scene.warned.join(), /asks to wait 1 s/);
});

test('a Retry-After of an hour ends the work and is said', async ({ registry, client }) => {
  registry.mischief = () => ({ status: 429, headers: { 'retry-after': '3600' } });
  await failsWith(getManifest(client, 'latest'), 'REGISTRY', /HTTP 429\) and asks to wait 3600 s/);
  assert.is(registry.seen.length, 1);
});

test('a broken download goes on where it stopped', async ({ registry, client }) => {
  const wanted = blob(registry, 3_000_000);
  registry.mischief = (_, nth) => (nth < 4 ? { cutAfter: 700_000 } : undefined);
  const sink = new Memory();
  await downloadBlob(client, wanted, sink);
  assert.ok(sink.bytes.equals(wanted.bytes));
  const ranges = registry.seen.map(request => request.headers.range);
  assert.is(ranges[0], undefined);
  assert.ok(
    ranges.slice(1).every(range => /^bytes=[1-9][0-9]*-$/.test(range ?? '')),
    String(ranges),
  );
});

test('a registry without ranges starts again and nothing is written twice', async ({ registry, client }) => {
  const wanted = blob(registry, 2_000_000);
  registry.ranges = false;
  registry.mischief = (_, nth) => (nth === 1 ? { cutAfter: 900_000 } : undefined);
  const sink = new Memory();
  await downloadBlob(client, wanted, sink);
  assert.ok(sink.bytes.equals(wanted.bytes));
});

test('a blob that always breaks off ends with an error', async ({ registry, client }) => {
  const wanted = blob(registry, 1000);
  registry.mischief = () => ({ cutAfter: 0 });
  await failsWith(downloadBlob(client, wanted, new Memory()), 'REGISTRY', /closed the connection/);
  assert.is(registry.seen.length, FAST.attempts);
});

test('a wrong length is refused before a byte is written', async ({ registry, client }) => {
  const wanted = blob(registry, 1000);
  registry.mischief = () => ({ truncate: 500 });
  const sink = new Memory();
  await failsWith(downloadBlob(client, wanted, sink), 'DIGEST', /sends 500 bytes .* manifest says 1000/);
  assert.is(sink.offset, 0);
});

test('a missing blob is NOT_FOUND', async ({ client }) => {
  await failsWith(
    downloadBlob(client, { digest: sha256('x'), size: 1 }, new Memory()),
    'NOT_FOUND',
    /which its manifest names/,
  );
});

test('a wrong range is refused', async ({ registry, client }) => {
  const wanted = blob(registry, 1000);
  registry.mischief = (_, nth) =>
    nth === 1
      ? { cutAfter: 100 }
      : { status: 206, headers: { 'content-range': 'bytes 0-9/1000' }, body: '0123456789' };
  await failsWith(downloadBlob(client, wanted, new Memory()), 'REGISTRY', /another range/);
});

test('a registry that never answers is given up', async scene => {
  connect(scene, { ...FAST, attempts: 1 });
  scene.registry.mischief = () => ({ delay: Number.POSITIVE_INFINITY });
  await failsWith(getManifest(scene.client, 'latest'), 'REGISTRY', /never answered/);
});

test('a registry that stops in the middle is given up', async scene => {
  connect(scene, { ...FAST, attempts: 1 });
  const wanted = blob(scene.registry, 1000);
  scene.registry.mischief = () => ({ dripMs: 5000 });
  await failsWith(downloadBlob(scene.client, wanted, new Memory()), 'REGISTRY', /stopped sending/);
});

test('a registry that sends slowly for ever is given up', async scene => {
  connect(scene, { ...FAST, attempts: 2, rateWindow: 300, minRate: 1000 });
  const wanted = blob(scene.registry, 100_000);
  scene.registry.mischief = () => ({ dripMs: 20 });
  await failsWith(downloadBlob(scene.client, wanted, new Memory()), 'REGISTRY', /sends too slowly/);
});

test('a registry that is down is said at once', async scene => {
  await scene.registry.stop();
  await failsWith(getManifest(scene.client, 'latest'), 'REGISTRY', /nothing listens there/);
  await scene.registry.start();
});

test('an abort ends a download at once', async scene => {
  const abort = new AbortController();
  connect(scene, FAST, abort.signal);
  const wanted = blob(scene.registry, 100_000);
  scene.registry.mischief = () => ({ dripMs: 5 });
  setTimeout(() => abort.abort(), 50);
  const start = performance.now();
  await failsWith(downloadBlob(scene.client, wanted, new Memory()), 'ABORTED', /cancelled/);
  assert.ok(performance.now() - start < 1000);
});

test.run();
