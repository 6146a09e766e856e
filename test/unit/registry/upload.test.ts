import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../src/oci/digest.ts';
import { putManifest } from '../../../src/registry/manifests.ts';
import { hasBlob, mountBlob, type UploadOptions, uploadBlob } from '../../../src/registry/upload.ts';
import { cut } from '../../../src/registry/upload-chunks.ts';
import type { BlobContent } from '../../../src/registry/upload-steps.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import {
  connect,
  FAST,
  failsWith,
  logIn,
  type RegistryScene,
  registrySuite,
} from '../../support/registry-scene.ts';

/** Uploads to a registry that misbehaves. */
const test = registrySuite('registry/upload');
const bytes = randomBytes(300_000);
const digest = sha256(bytes);

async function* inPieces(all: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

const stored = (all = bytes): BlobContent => {
  const known = { digest: sha256(all), size: all.length };
  return { known, open: () => inPieces(all), describe: () => known };
};
/** What is compressed on its way: nothing is known before. */
const made = (all = bytes): BlobContent => ({ ...stored(all), known: undefined });

const isUpload = (path: string): boolean => path.includes('/blobs/uploads/');
const up = (scene: RegistryScene, content: BlobContent, options: UploadOptions = {}) =>
  uploadBlob(scene.client, content, options);

test('a blob of known digest goes in one request', async scene => {
  const { registry } = scene;
  assert.not(await hasBlob(scene.client, digest));
  assert.equal(await up(scene, stored()), { digest, size: bytes.length });
  assert.equal(registry.blobs.get(digest), bytes);
  assert.equal(
    registry.seen.map(r => r.method),
    ['HEAD', 'POST', 'PUT'],
  );
  assert.is(registry.seen.at(-1)?.headers['content-length'], String(bytes.length));
  assert.ok(await hasBlob(scene.client, digest));
});

test('one that is made on the way is named afterwards', async scene => {
  assert.equal(await up(scene, made()), { digest, size: bytes.length });
  assert.equal(scene.registry.blobs.get(digest), bytes);
  assert.equal(
    scene.registry.seen.map(r => r.method),
    ['POST', 'PATCH', 'PUT'],
  );
});

for (const content of [stored, made]) {
  test(`in pieces (${content.name})`, async scene => {
    const sent: number[] = [];
    await up(scene, content(), { chunkSize: 100_000, onBytes: n => sent.push(n) });
    assert.equal(scene.registry.blobs.get(digest), bytes);
    assert.equal(scene.registry.uploads.pieces, [100_000, 100_000, 100_000]);
    assert.equal(sent, [100_000, 200_000, 300_000]);
  });
}

test('pieces are not smaller than the registry takes', async scene => {
  scene.registry.uploads.minChunk = 200_000;
  await up(scene, stored(), { chunkSize: 1000 });
  assert.equal(scene.registry.uploads.pieces, [200_000, 100_000]);
});

test('an empty blob, and one byte', async scene => {
  for (const all of [Buffer.alloc(0), Buffer.from('x')]) {
    for (const options of [{}, { chunkSize: 1024 }]) {
      scene.registry.blobs.clear();
      await up(scene, stored(all), options);
      assert.equal(scene.registry.blobs.get(sha256(all)), all);
    }
  }
});

test('cut: the same bytes, every piece but the last of one size', async () => {
  for (let round = 0; round < 50; round++) {
    const all = randomBytes(Math.floor(Math.random() * 5000));
    const size = 1 + Math.floor(Math.random() * 700);
    const pieces: Buffer[] = [];
    for await (const piece of cut(inPieces(all, 1 + Math.floor(Math.random() * 900)), size))
      pieces.push(piece);
    assert.equal(Buffer.concat(pieces), all);
    assert.ok(pieces.slice(0, -1).every(piece => piece.length === size));
    assert.ok(pieces.every(piece => piece.length > 0 && piece.length <= size));
  }
});

for (const content of [stored, made]) {
  test(`a registry that fails once gets it again (${content.name})`, async scene => {
    scene.registry.mischief = ({ method, path }) =>
      ['PUT', 'PATCH'].includes(method) && path.includes('/u1') ? { status: 503 } : undefined;
    assert.is((await up(scene, content())).digest, digest);
    assert.equal(scene.registry.blobs.get(digest), bytes);
  });
}

test('a piece whose answer was lost is not sent twice', async scene => {
  let lost = 0;
  const { registry } = scene;
  const begin = registry.uploads.handle.bind(registry.uploads);
  registry.uploads.handle = async (request, url, response) => {
    if (request.method !== 'PATCH' || registry.uploads.pieces.length !== 1 || lost > 0)
      return begin(request, url, response);
    lost += 1;
    // It arrives, and its answer does not.
    const deaf = { writeHead: () => ({ end: () => response.destroy() }) };
    return begin(request, url, deaf as never);
  };
  await up(scene, stored(), { chunkSize: 100_000 });
  assert.equal(registry.blobs.get(digest), bytes);
  assert.equal(registry.uploads.pieces, [100_000, 100_000, 100_000]);
  assert.is(registry.count(/uploads\/u1/, 'GET'), 1);
});

test('a registry that forgets an upload gets it from the beginning', async scene => {
  scene.registry.mischief = ({ method, path }, nth) => {
    if (method === 'PATCH' && path.includes('u1') && nth === 2) return { status: 500 };
    return method === 'GET' && path.includes('u1') ? { status: 404 } : undefined;
  };
  await up(scene, made(), { chunkSize: 100_000 });
  assert.equal(scene.registry.blobs.get(digest), bytes);
});

test('a registry that fails for ever: an end with its reason', async scene => {
  scene.registry.mischief = ({ method }) => (method === 'PATCH' ? { status: 500 } : undefined);
  await failsWith(up(scene, made(), { chunkSize: 1000 }), 'REGISTRY', /HTTP 500/);
  await failsWith(up(scene, made()), 'REGISTRY', /HTTP 500/);
  assert.ok(scene.registry.count(/uploads/, 'PATCH') <= 2 * FAST.attempts + 1);
});

test('one that takes the first piece again and again, too', async scene => {
  scene.registry.mischief = ({ method, headers }) => {
    if (method === 'GET') return { status: 404 };
    const first = /^0-/.test(String(headers['content-range']));
    return method === 'PATCH' && !first ? { status: 500 } : undefined;
  };
  await failsWith(up(scene, made(), { chunkSize: 100_000 }), 'REGISTRY', /HTTP 500/);
});

test('a registry that reads nothing is given up', async scene => {
  scene.registry.mischief = ({ path }) => (isUpload(path) ? { delay: Number.POSITIVE_INFINITY } : undefined);
  connect(scene, { ...FAST, headers: 150, attempts: 2 });
  await failsWith(up(scene, stored()), 'REGISTRY', /never answered/);
});

test('refusals: too large, not allowed, no place to upload to', async scene => {
  const answers = [
    { mischief: { status: 413 }, code: 'REGISTRY', message: /HTTP 413/ },
    {
      mischief: { status: 403, body: '{"errors":[{"code":"DENIED","message":"no push"}]}' },
      code: 'UNAUTHORIZED',
      message: /may not push to it.*no push/,
    },
    { mischief: { status: 202 }, code: 'REGISTRY', message: /did not say where to upload/ },
    {
      mischief: { status: 202, headers: { location: 'http://[' } },
      code: 'REGISTRY',
      message: /did not say where/,
    },
    {
      mischief: { status: 202, headers: { location: 'file:///etc/passwd' } },
      code: 'REGISTRY',
      message: /not HTTPS/,
    },
  ];
  for (const { mischief, code, message } of answers) {
    scene.registry.mischief = ({ method }) => (method === 'POST' ? mischief : undefined);
    await failsWith(up(scene, stored()), code, message);
  }
});

test('an upload on another host gets the bytes and no credentials', async scene => {
  const other = await startFakeRegistry();
  try {
    scene.registry.auth = { scheme: 'basic', user: 'me', password: 'sesame' };
    logIn(scene, 'me', 'sesame');
    scene.registry.uploads.elsewhere = `http://${other.host}`;
    // The upload that the other host is told of.
    await fetch(`http://${other.host}/v2/a/b/blobs/uploads/`, { method: 'POST' });
    await up(scene, stored());
    assert.equal(other.blobs.get(digest), bytes);
    assert.ok(scene.registry.seen.some(r => r.headers.authorization !== undefined));
    assert.ok(other.seen.every(r => r.headers.authorization === undefined));
  } finally {
    await other.stop();
  }
});

test('a host that we are sent to may ask who we are: nobody answers', async scene => {
  const other = await startFakeRegistry();
  try {
    scene.registry.auth = { scheme: 'basic', user: 'me', password: 'sesame' };
    logIn(scene, 'me', 'sesame');
    other.auth = { scheme: 'basic', user: 'me', password: 'sesame' };
    scene.registry.uploads.elsewhere = `http://${other.host}`;
    await failsWith(up(scene, stored()), 'UNAUTHORIZED', /HTTP 401/);
    scene.registry.mischief = ({ path, headers }) =>
      /manifests/.test(path) && headers.authorization !== undefined
        ? { status: 307, headers: { location: `http://${other.host}${path}` } }
        : undefined;
    const { getManifest } = await import('../../../src/registry/manifests.ts');
    await failsWith(getManifest(scene.client, 'latest'), 'UNAUTHORIZED', /HTTP 401/);
    other.auth = { scheme: 'bearer', user: 'me', password: 'sesame' };
    await failsWith(getManifest(scene.client, 'latest'), 'UNAUTHORIZED', /HTTP 401/);
    assert.ok(other.seen.length > 2);
    assert.ok(other.seen.every(r => r.headers.authorization === undefined && !r.path.startsWith('/token')));
  } finally {
    await other.stop();
  }
});

test('mounts: a repository that has it, one that has not, a registry that never does', async scene => {
  const { registry, client } = scene;
  registry.uploads.mountable.set('lib/base', new Set([digest]));
  assert.is(await mountBlob(client, digest, ['lib/other', 'lib/base']), 'lib/base');
  assert.is(registry.count(/uploads\/u1/, 'DELETE'), 1, 'the upload that nobody needs is given back');
  assert.is(await mountBlob(client, digest, ['lib/other']), undefined);
  registry.mischief = ({ path }) => (path.includes('mount=') ? { status: 404 } : undefined);
  assert.is(await mountBlob(client, digest, ['lib/base']), undefined);
  registry.auth = { scheme: 'basic', user: 'me', password: 'x' };
  assert.is(await mountBlob(client, digest, ['lib/base']), undefined);
});

test('tokens: for pushing, and for the repository that is mounted from', async scene => {
  scene.registry.auth = { scheme: 'bearer', user: 'me', password: 'sesame' };
  logIn(scene, 'me', 'sesame');
  await up(scene, stored());
  await mountBlob(scene.client, digest, ['lib/base']);
  const scopes = scene.registry.seen
    .filter(r => r.path.startsWith('/token'))
    .map(r => new URL(r.path, 'http://x').searchParams.getAll('scope'));
  assert.equal(scopes, [
    ['repository:a/b:pull', 'repository:a/b:pull,push'],
    ['repository:a/b:pull', 'repository:a/b:pull,push', 'repository:lib/base:pull'],
  ]);
});

test('a token that ends during an upload is replaced', async scene => {
  scene.registry.auth = { scheme: 'bearer', user: 'me', password: 'sesame' };
  logIn(scene, 'me', 'sesame');
  scene.registry.mischief = ({ method }, nth) => {
    if (method === 'PUT' && nth === 1) scene.registry.tokens.clear();
    return undefined;
  };
  await up(scene, stored());
  assert.equal(scene.registry.blobs.get(digest), bytes);
  assert.is(scene.registry.count(/^\/token/), 2);
});

test('a manifest is stored as it is; a registry that stores another one is an error', async scene => {
  const manifest = {
    bytes: Buffer.from('{ "schemaVersion": 2 }'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
  };
  assert.is(await putManifest(scene.client, 'latest', manifest), sha256(manifest.bytes));
  assert.equal(scene.registry.manifests.get('a/b:latest')?.bytes, manifest.bytes);
  scene.registry.mischief = ({ method }) =>
    method === 'PUT' ? { status: 201, headers: { 'docker-content-digest': digest } } : undefined;
  await failsWith(putManifest(scene.client, 'latest', manifest), 'REGISTRY', /stored .* instead of/);
});

test('an error of whoever gives the bytes ends the upload', async scene => {
  const broken: BlobContent = {
    ...made(),
    open: async function* () {
      yield bytes.subarray(0, 1000);
      throw new Error('the disk is gone');
    },
  };
  for (const options of [{}, { chunkSize: 1024 }]) {
    try {
      await up(scene, broken, options);
      assert.unreachable();
    } catch (error) {
      assert.match(String((error as Error).message), /the disk is gone|the request failed/);
    }
  }
});

test.run();
