import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../src/engine/context.ts';
import { pull } from '../../src/engine/pull.ts';
import { TsboxError } from '../../src/errors.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { openPaths } from '../../src/host/paths.ts';
import { silentReporter } from '../../src/log.ts';
import { digestHex, sha256 } from '../../src/oci/digest.ts';
import { encodeManifest, parseManifest } from '../../src/oci/manifest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { DEFAULT_LIMITS } from '../../src/registry/limits.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { type Compression, layerWith, ociBlobs, type TestImage } from '../support/images.ts';
import { push } from '../support/push.ts';
import { startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** Pull, as a library, with real namespaces: from the CNCF registry, and from one that lies. */
const test = requires(suite('contract/registry'), 'userns', 'registry');
const zstd = requires(test, 'zstd');
const LIMITS = { ...DEFAULT_LIMITS, backoff: 10, attempts: 3 };
const FIXTURES = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const pinned = ['HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'DOCKER_CONFIG'] as const;
const before = pinned.map(name => process.env[name]);
const image: TestImage = {
  layers: [
    layerWith({ 'etc/a': 'first', 'srv/gone': 'x' }),
    layerWith({ 'etc/b': 'second', 'srv/.wh.gone': '' }),
  ],
  config: { Cmd: ['sh'] },
};

test.before(() => {
  // Otherwise the mirrors and credentials of whoever runs the tests would be used.
  const { dir } = tempHome();
  for (const name of pinned) process.env[name] = dir;
});
test.after(() => {
  for (const [i, name] of pinned.entries()) {
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
  }
});

async function freshEngine(): Promise<Engine> {
  const config = defaultConfig();
  const base = mkdtempSync(join(tempHome().dir, 'store-'));
  const paths = await openPaths(config, { root: join(base, 'root'), runtimeDir: join(base, 'run') });
  return { config, paths, reporter: silentReporter, signal: undefined };
}

const get = (engine: Engine, reference: string) => pull(engine, reference, {}, LIMITS);

async function failsWith(work: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, TsboxError, (error as Error).stack);
    assert.is((error as TsboxError).code, code, (error as Error).message);
    assert.match((error as TsboxError).message, message);
    return;
  }
  throw new Error('it did not fail');
}

function assertEmpty({ paths }: Engine): void {
  assert.equal(readdirSync(paths.tmp), []);
  assert.equal(readdirSync(paths.layers), []);
}

const treeOf = ({ paths }: Engine, layer: Buffer): string =>
  join(paths.layers, digestHex(sha256(layer)), 'fs');

/** Runs `work` with docker-registry started with these settings (its REGISTRY_* variables). */
async function withRegistry(
  work: (host: string) => Promise<void>,
  how: Compression = 'gzip',
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  Object.assign(process.env, settings);
  const registry = await startRegistry().finally(() => {
    for (const name of Object.keys(settings)) delete process.env[name];
  });
  try {
    if (Object.keys(settings).length === 0) await push(registry, 'team/app', 'v1', image, how);
    await work(registry.host);
  } finally {
    await registry.stop();
  }
}

for (const how of ['none', 'gzip', 'zstd'] as const) {
  (how === 'zstd' ? zstd : test)(`layers with compression ${how} become trees`, async () => {
    await withRegistry(async host => {
      const engine = await freshEngine();
      const result = await get(engine, `${host}/team/app:v1`);
      assert.ok(result.downloaded);
      const [lower, upper] = image.layers.map(layer => treeOf(engine, layer));
      assert.is(readFileSync(join(lower ?? '', 'etc/a'), 'utf8'), 'first');
      assert.is(readFileSync(join(upper ?? '', 'etc/b'), 'utf8'), 'second');
      for (const digest of ociBlobs(image, how).blobs.keys()) {
        assert.ok(existsSync(join(engine.paths.images, 'blobs/sha256', digestHex(digest))), digest);
      }
      assert.equal(readdirSync(engine.paths.tmp), []);
      assert.not((await get(engine, `${host}/team/app:v1`)).downloaded);
    }, how);
  });
}

test('a blob that is here is unpacked again and not fetched', async () => {
  const registry = await startFakeRegistry();
  try {
    registry.addImage('app', 'latest', image.layers, { architecture: ARCHITECTURE });
    const engine = await freshEngine();
    await get(engine, `${registry.host}/app`);
    const tree = treeOf(engine, image.layers[0] ?? Buffer.from(''));
    renameSync(join(tree, '..'), join(engine.paths.root, 'away'));
    registry.seen.length = 0;
    assert.ok((await get(engine, `${registry.host}/app`)).downloaded);
    assert.is(readFileSync(join(tree, 'etc/a'), 'utf8'), 'first');
    assert.is(registry.count(/blobs/), 0);
  } finally {
    await registry.stop();
  }
});

test('what the registry does not have', async () => {
  await withRegistry(async host => {
    const engine = await freshEngine();
    await failsWith(get(engine, `${host}/team/app:v9`), 'NOT_FOUND', /no such tag/);
    await failsWith(get(engine, `${host}/team/nobody`), 'NOT_FOUND', /no such (repository|tag)/);
    await failsWith(get(engine, `${host}/team/app@sha256:${'0'.repeat(64)}`), 'NOT_FOUND', /no such/);
    assertEmpty(engine);
  });
});

// `sesame`, hashed with bcrypt.
const HTPASSWD = 'me:$2b$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O';

test('the registry with passwords', async () => {
  const file = join(tempHome().dir, 'htpasswd');
  writeFileSync(file, `${HTPASSWD}\n`);
  const settings = {
    REGISTRY_AUTH: 'htpasswd',
    REGISTRY_AUTH_HTPASSWD_REALM: 'x',
    REGISTRY_AUTH_HTPASSWD_PATH: file,
  };
  await withRegistry(
    async host => {
      const engine = await freshEngine();
      await failsWith(
        get(engine, `${host}/a`),
        'UNAUTHORIZED',
        /does not let anybody in without credentials/,
      );
      const logIn = (password: string): void => {
        const auth = Buffer.from(`me:${password}`).toString('base64');
        writeFileSync(join(tempHome().dir, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
      };
      logIn('wrong');
      await failsWith(get(engine, `${host}/a`), 'UNAUTHORIZED', /with the credentials given/);
      logIn('sesame');
      await failsWith(get(engine, `${host}/a`), 'NOT_FOUND', /no such/);
      rmSync(join(tempHome().dir, 'config.json'));
    },
    'gzip',
    settings,
  );
});

test('the registry with TLS on loopback', async () => {
  const settings = {
    REGISTRY_HTTP_TLS_CERTIFICATE: join(FIXTURES, 'cert.pem'),
    REGISTRY_HTTP_TLS_KEY: join(FIXTURES, 'key.pem'),
  };
  await withRegistry(
    async host => failsWith(get(await freshEngine(), `${host}/a`), 'NOT_FOUND', /no such/),
    'gzip',
    settings,
  );
});

interface Lie {
  readonly name: string;
  readonly code: string;
  readonly message: RegExp;
  tell(registry: FakeRegistry, layer: Buffer): void;
}

/** Replaces the layer of app:latest by other bytes with a right digest. */
function swapLayer(registry: FakeRegistry, bytes: Buffer): void {
  const found = registry.manifests.get('app:latest');
  const manifest = parseManifest(found?.bytes ?? Buffer.from(''));
  if (manifest.kind !== 'manifest') throw new Error('no image');
  const layers = manifest.layers.map(layer => ({ ...layer, digest: sha256(bytes), size: bytes.length }));
  registry.blobs.set(sha256(bytes), bytes);
  registry.addManifest('app', 'latest', OCI_MANIFEST, encodeManifest({ ...manifest, layers }));
}

const isLayer = (path: string, layer: Buffer): boolean => path.endsWith(sha256(layer));
const LIES: readonly Lie[] = [
  {
    name: 'other bytes',
    code: 'DIGEST',
    message: /content of sha256:.* does not match/,
    tell: (registry, layer) => {
      registry.mischief = request => (isLayer(request.path, layer) ? { corrupt: true } : undefined);
    },
  },
  {
    name: 'a shorter layer',
    code: 'DIGEST',
    message: /its manifest says/,
    tell: (registry, layer) => {
      registry.mischief = request => (isLayer(request.path, layer) ? { truncate: 30 } : undefined);
    },
  },
  {
    name: 'a layer that is no archive',
    code: 'LAYER',
    message: /^layer [0-9a-f]{12}: /,
    tell: registry => swapLayer(registry, gzipSync(Buffer.from('no tar at all'.repeat(1000)))),
  },
  {
    name: 'a truncated layer with the right digest',
    code: 'LAYER',
    message: /^layer [0-9a-f]{12}: /,
    tell: (registry, layer) => swapLayer(registry, layer.subarray(0, layer.length - 20)),
  },
  {
    name: 'a good layer that is another one',
    code: 'DIGEST',
    message: /has the content of/,
    tell: registry => swapLayer(registry, gzipSync(layerWith({ 'etc/other': 'x' }))),
  },
  {
    name: 'a connection that always breaks',
    code: 'REGISTRY',
    message: /closed the connection/,
    tell: (registry, layer) => {
      registry.mischief = request => (isLayer(request.path, layer) ? { cutAfter: 50 } : undefined);
    },
  },
  {
    name: 'no layer',
    code: 'NOT_FOUND',
    message: /has no blob/,
    tell: (registry, layer) => void registry.blobs.delete(sha256(layer)),
  },
];

for (const lie of LIES) {
  test(`a registry that sends ${lie.name}: nothing is named, nothing stays`, async () => {
    const registry = await startFakeRegistry();
    try {
      const pushed = registry.addImage('app', 'latest', image.layers.slice(0, 1), {
        architecture: ARCHITECTURE,
      });
      lie.tell(registry, pushed.layers[0] ?? Buffer.from(''));
      const engine = await freshEngine();
      await failsWith(get(engine, `${registry.host}/app`), lie.code, lie.message);
      assertEmpty(engine);
      assert.not(existsSync(join(engine.paths.images, 'index.json')));
    } finally {
      await registry.stop();
    }
  });
}

test.run();
