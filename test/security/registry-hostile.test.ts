// run as: ranges

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { imageStore } from '../../src/engine/find-image.ts';
import { pull } from '../../src/engine/pull.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { DEFAULT_LIMITS } from '../../src/registry/limits.ts';
import { rejects as rejectsWith } from '../support/container-store.ts';
import { type FakeRegistry, type Mischief, startFakeRegistry } from '../support/fake-registry.ts';
import { type LayerScene, leftovers, openLayerScene } from '../support/layer-scene.ts';
import { requires } from '../support/requires.ts';
import { archive, file } from '../support/tar-bytes.ts';
import { within } from '../support/within.ts';

/** A registry that lies, stalls, overflows or sends us elsewhere: one error, soon; nothing listed, nothing kept under a name, nobody else asked. */
interface Scene extends LayerScene {
  registry: FakeRegistry;
}
const test = requires(suite<Scene>('security: hostile registries'), 'userns');
const LIMITS = { ...DEFAULT_LIMITS, attempts: 2, backoff: 5, headers: 1000, idle: 1000, rateWindow: 1000 };
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const LAYER = archive(file('etc/hello', 'hello'));
const ZIPPED = gzipSync(LAYER);
const CONFIG = Buffer.from(
  JSON.stringify({
    architecture: ARCHITECTURE,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [sha256(LAYER)] },
  }),
);
const describe = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.length,
});
const layer = describe(OCI_LAYER_GZIP, ZIPPED);
const config = describe(OCI_CONFIG, CONFIG);
const MANIFEST = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };

test.before.each(async context => {
  Object.assign(context, await openLayerScene(), { registry: await startFakeRegistry() });
  for (const bytes of [ZIPPED, CONFIG]) context.registry.blobs.set(sha256(bytes), bytes);
});
test.after.each(async ({ registry }) => registry.stop());

const put = (registry: FakeRegistry, document: unknown, type: string = OCI_MANIFEST): string =>
  registry.addManifest('app', 'latest', type, Buffer.from(JSON.stringify(document)));

/** The pull fails as it should, within seconds, and leaves nothing that has a name. */
async function refused(scene: Scene, code: string, message: RegExp, name = 'app'): Promise<void> {
  const work = pull(scene.engine, `${scene.registry.host}/${name}`, {}, LIMITS);
  await rejectsWith(within(30_000, work, 'the refusal'), code, message, /^/);
  assert.equal(await imageStore(scene.engine).list(), []);
  assert.equal(leftovers(scene), []);
  scene.canary.assertUntouched();
}

const asked = ({ registry }: Scene): string[] => registry.seen.map(request => request.path);

/** Answers every request with this, whatever it is. */
async function server(handle: Parameters<typeof createServer>[1]): Promise<{ server: Server; host: string }> {
  const made = createServer(handle ?? (() => {}));
  await new Promise<void>(resolve => made.listen(0, '127.0.0.1', resolve));
  return { server: made, host: `127.0.0.1:${(made.address() as AddressInfo).port}` };
}

/** A body without end, as fast as it is taken. Not for HEAD, whose answer takes everything. */
function pour(response: ServerResponse): void {
  while (response.write(' '.repeat(65536)));
  if (!response.destroyed) response.once('drain', () => pour(response));
}

async function stop(made: Server): Promise<void> {
  made.closeAllConnections();
  await new Promise(resolve => made.close(resolve));
}

test('an honest registry, so that the others fail for their lies', async scene => {
  put(scene.registry, MANIFEST);
  const result = await pull(scene.engine, `${scene.registry.host}/app`, {}, LIMITS);
  assert.is(result.id, sha256(CONFIG));
});

const BAD_DIGESTS = [
  'sha256:../../../../../../etc/passwd',
  `sha256:../../${'a'.repeat(58)}`,
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(64)}/../x`,
  `sha256:${'a'.repeat(64)}\n`,
  `sha512:${'a'.repeat(128)}`,
  `md5:${'a'.repeat(32)}`,
  '../../canary/file',
  '',
  null,
  ['sha256:'],
];

test('malformed digests in manifest, index, config and header never become a path or a URL', async scene => {
  for (const digest of BAD_DIGESTS) {
    put(scene.registry, { ...MANIFEST, config: { ...config, digest } });
    await refused(scene, 'MANIFEST', /config\.digest is malformed/);
    put(scene.registry, { ...MANIFEST, layers: [{ ...layer, digest }] });
    await refused(scene, 'MANIFEST', /layers\[0\]\.digest is malformed/);
    const manifests = [{ ...describe(OCI_MANIFEST, CONFIG), digest }];
    put(scene.registry, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
    await refused(scene, 'MANIFEST', /manifests\[0\]\.digest is malformed/);
    const odd = Buffer.from(
      JSON.stringify({
        architecture: ARCHITECTURE,
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [digest] },
      }),
    );
    scene.registry.blobs.set(sha256(odd), odd);
    put(scene.registry, { ...MANIFEST, config: describe(OCI_CONFIG, odd) });
    await refused(scene, 'MANIFEST', /diff_ids\[0\] is malformed/);
  }
  scene.registry.mischief = () => ({ headers: { 'docker-content-digest': 'sha256:../../x' } });
  put(scene.registry, MANIFEST);
  await refused(scene, 'DIGEST', /instead of sha256:\.\.\/\.\.\/x/);
  const paths = asked(scene).join('\n');
  assert.not.match(paths, /\.\.|%2e|passwd|canary/i);
});

test('a manifest that is an index too, in every spelling', async scene => {
  const entry = describe(OCI_MANIFEST, CONFIG);
  const documents = [
    { ...MANIFEST, manifests: [entry] },
    { ...MANIFEST, manifests: null },
    { ...MANIFEST, Manifests: [entry] },
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry], config },
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry], layers: [] },
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry], LAYERS: [] },
  ];
  for (const document of documents) {
    for (const type of [OCI_MANIFEST, OCI_INDEX, 'application/octet-stream']) {
      put(scene.registry, document, type);
      await refused(scene, 'MANIFEST', /at once|spells/);
    }
  }
  assert.is(scene.registry.count(/blobs/), 0);
});

test('a body that is not of the type it is sent as, listed as, or says it is', async scene => {
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [describe(OCI_MANIFEST, CONFIG)] };
  const { mediaType: _, ...bare } = MANIFEST;
  for (const [document, type] of [
    [MANIFEST, OCI_INDEX],
    [bare, OCI_INDEX],
    [index, OCI_MANIFEST],
    [{ ...MANIFEST, mediaType: OCI_INDEX }, OCI_MANIFEST],
    [{ ...MANIFEST, mediaType: 'text/plain' }, 'application/json'],
  ] as const) {
    put(scene.registry, document, type);
    await refused(scene, 'MANIFEST', /its body is|was sent as/);
  }
  const listed = Buffer.from(JSON.stringify(bare));
  const lie = { ...describe(OCI_INDEX, listed), platform: { os: 'linux', architecture: ARCHITECTURE } };
  scene.registry.manifests.set(`app@${sha256(listed)}`, { type: 'application/json', bytes: listed });
  put(scene.registry, { ...index, manifests: [lie] }, OCI_INDEX);
  await refused(scene, 'MANIFEST', /was sent as/);
});

test('an index in an index, an image that is no image, a config that is a manifest', async scene => {
  const inner = put(scene.registry, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }, OCI_INDEX);
  const size = scene.registry.manifests.get(`app@${inner}`)?.bytes.length ?? 0;
  const entry = { mediaType: OCI_INDEX, digest: inner, size };
  put(scene.registry, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }, OCI_INDEX);
  await refused(scene, 'MANIFEST', /leads to another index/);
  const chart = { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' };
  put(scene.registry, { ...MANIFEST, config: chart });
  await refused(scene, 'MANIFEST', /no container image/);
  put(scene.registry, { ...MANIFEST, layers: [{ ...layer, mediaType: 'text/plain' }] });
  await refused(scene, 'MANIFEST', /unknown type/);
  const manifest = Buffer.from(JSON.stringify(MANIFEST));
  scene.registry.blobs.set(sha256(manifest), manifest);
  put(scene.registry, { ...MANIFEST, config: describe(OCI_CONFIG, manifest) });
  await refused(scene, 'MANIFEST', /rootfs/);
});

test('100,000 layers, a manifest without end, a config of petabytes', async scene => {
  put(scene.registry, { ...MANIFEST, layers: Array.from({ length: 100_000 }, () => layer) });
  await refused(scene, 'MANIFEST', /larger than 4194304 bytes/);
  const small = { mediaType: '', digest: layer.digest, size: 0 };
  put(scene.registry, { ...MANIFEST, layers: Array.from({ length: 30_000 }, () => small) });
  await refused(scene, 'MANIFEST', /30000 entries, more than 4096/);
  put(scene.registry, { ...MANIFEST, config: { ...config, size: Number.MAX_SAFE_INTEGER } });
  await refused(scene, 'MANIFEST', /config is larger than/);
  assert.is(scene.registry.count(/blobs/), 0);
  const endless = await server((request, response) => {
    response.writeHead(200, { 'content-type': OCI_MANIFEST });
    if (request.method === 'HEAD') return void response.end();
    pour(response);
  });
  try {
    const work = pull(scene.engine, `${endless.host}/app`, {}, LIMITS);
    await rejectsWith(within(30_000, work), 'MANIFEST', /larger than 4194304/, /^/);
  } finally {
    await stop(endless.server);
  }
});

test('layers that need more than the disk has are refused before the first is asked for', async scene => {
  for (const size of [1e15, Number.MAX_SAFE_INTEGER]) {
    put(scene.registry, { ...MANIFEST, layers: [{ ...layer, size }] });
    await refused(scene, 'NO_SPACE', /needs about/);
  }
  assert.is(scene.registry.count(new RegExp(layer.digest)), 0);
});

test('addresses in a manifest (urls: of foreign layers) are not asked', async scene => {
  const elsewhere = await startFakeRegistry();
  try {
    elsewhere.blobs.set(layer.digest, ZIPPED);
    const urls = [`http://${elsewhere.host}/v2/app/blobs/${layer.digest}`, 'file:///etc/passwd'];
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    for (const mediaType of [foreign, OCI_LAYER_GZIP]) {
      scene.registry.blobs.delete(layer.digest);
      put(scene.registry, {
        ...MANIFEST,
        layers: [{ ...layer, mediaType, urls, data: ZIPPED.toString('base64') }],
      });
      await refused(scene, 'NOT_FOUND', /has no blob/);
    }
    assert.equal(elsewhere.seen, []);
  } finally {
    await elsewhere.stop();
  }
});

test('redirects: without end, to files, to other schemes, to other content; credentials stay behind', async scene => {
  const elsewhere = await startFakeRegistry();
  try {
    elsewhere.blobs.set(layer.digest, Buffer.from('other bytes'));
    const self = `/v2/app/blobs/${layer.digest}`;
    const targets: Array<[string, string, RegExp]> = [
      [self, 'REGISTRY', /redirects more than 5 times/],
      ['file:///etc/passwd', 'REGISTRY', /not HTTPS/],
      ['ftp://x/y', 'REGISTRY', /not HTTPS/],
      ['http://[', 'REGISTRY', /no URL/],
      [`http://user:pass@${elsewhere.host}${self}`, 'DIGEST', /its manifest says/],
    ];
    put(scene.registry, MANIFEST);
    for (const [location, code, message] of targets) {
      scene.registry.mischief = ({ path }): Mischief | undefined =>
        path.includes(layer.digest) ? { status: 307, headers: { location } } : undefined;
      await refused(scene, code, message);
    }
    assert.is(elsewhere.seen.length, 1);
    assert.is(elsewhere.seen[0]?.headers.authorization, undefined);
  } finally {
    await elsewhere.stop();
  }
});

test('a registry that answers slowly for ever, or not at all', async scene => {
  put(scene.registry, MANIFEST);
  const stalls: Array<[RegExp, Mischief, RegExp]> = [
    [/manifests/, { delay: Number.POSITIVE_INFINITY }, /never answered/],
    [/blobs/, { delay: Number.POSITIVE_INFINITY }, /never answered/],
    [new RegExp(layer.digest), { dripMs: 200 }, /too slowly/],
    [new RegExp(layer.digest), { dripMs: 2000 }, /stopped sending|too slowly/],
  ];
  for (const [path, how, message] of stalls) {
    scene.registry.mischief = request => (path.test(request.path) ? how : undefined);
    await refused(scene, 'REGISTRY', message);
  }
});

test('a blob that does not end where its manifest says', async scene => {
  const manifest = Buffer.from(JSON.stringify(MANIFEST));
  const endless = await server((request, response) => {
    if (request.url?.includes('manifests'))
      return response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(manifest);
    if (request.url?.includes(config.digest)) return response.writeHead(200).end(CONFIG);
    response.writeHead(200);
    return pour(response);
  });
  try {
    const work = pull(scene.engine, `${endless.host}/app`, {}, LIMITS);
    await rejectsWith(within(30_000, work), 'DIGEST', /longer than/, /^/);
    assert.equal(leftovers(scene), []);
  } finally {
    await stop(endless.server);
  }
});

test('headers of megabytes, answers that are no HTTP', async scene => {
  const cases: Array<(response: ServerResponse) => void> = [
    response => response.writeHead(200, { 'x-a': 'a'.repeat(1 << 20) }).end(),
    response =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${'a'.repeat(100_000)}"` }).end(),
  ];
  for (const handle of cases) {
    const made = await server((_request, response) => handle(response));
    try {
      const work = pull(scene.engine, `${made.host}/app`, {}, LIMITS);
      await rejectsWith(within(30_000, work), 'REGISTRY', /./, /^/);
    } finally {
      await stop(made.server);
    }
  }
});

test('platforms with the names of methods, or that a terminal would obey', async scene => {
  const entry = (architecture: string) => ({
    ...describe(OCI_MANIFEST, CONFIG),
    platform: { os: 'linux', architecture },
  });
  const manifests = ['constructor', '__proto__', 'toString', '\x1b[2J'].map(entry);
  put(scene.registry, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  await refused(scene, 'PLATFORM', /has no image for linux/);
});

test.run();
