import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox } from '../support/cli.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { push } from '../support/push.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** Signatures as cosign attaches them, made here, at the real registry; policies as other tools read them. */
const test = requires(suite('signatures'), 'userns', 'busybox', 'registry');

const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PEM = ours.publicKey.export({ type: 'spki', format: 'pem' }).toString();

let registry: Registry;
let homes = 0;
test.before(async () => {
  registry = await startRegistry();
});
test.after(() => registry?.stop());

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function put(path: string, type: string, bytes: Buffer): Promise<void> {
  const headers = { 'content-type': type };
  const response = await fetch(`${registry.url}/v2/${path}`, {
    method: 'PUT',
    headers,
    body: new Uint8Array(bytes),
  });
  assert.is(response.status, 201, `${path}: ${await response.text()}`);
}

async function upload(repository: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const started = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(started.headers.get('location') ?? '', registry.url);
  place.searchParams.set('digest', digestOf(bytes));
  const done = await fetch(place, { method: 'PUT', body: new Uint8Array(bytes) });
  assert.is(done.status, 201);
  return { digest: digestOf(bytes), size: bytes.length };
}

interface Signing {
  readonly key?: typeof ours.privateKey;
  readonly name?: string;
  readonly image?: string;
  /** Changed after it was signed. */
  readonly damage?: boolean;
}

/** Pushes an image and what cosign would put beside it. */
async function signed(repository: string, { key = ours.privateKey, name, image, damage }: Signing = {}) {
  const digest = await push(registry, repository, 'v1', busyboxImage());
  const critical = {
    identity: { 'docker-reference': name ?? `${registry.host}/${repository}` },
    image: { 'docker-manifest-digest': image ?? digest },
    type: 'cosign container image signature',
  };
  const text = Buffer.from(JSON.stringify({ critical, optional: {} }));
  const signature = sign('sha256', text, key).toString('base64');
  const payload = await upload(
    repository,
    damage ? Buffer.from(text.toString().replace('"optional"', '"optionel"')) : text,
  );
  const config = await upload(repository, Buffer.from('{}'));
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [
      {
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        ...payload,
        annotations: { 'dev.cosignproject.cosign/signature': signature },
      },
    ],
  };
  const tag = `${digest.replace(':', '-')}.sig`;
  await put(`${repository}/manifests/${tag}`, manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
  return { name: `${registry.host}/${repository}:v1`, digest };
}

function withPolicy(policy: unknown): Box {
  const box = openBox(tempHome(`signatures-${++homes}`));
  const file = join(box.home.dir, 'policy.json');
  writeFileSync(file, JSON.stringify(policy));
  writeFileSync(join(box.home.dir, 'key.pub'), PEM);
  return Object.assign(box, { policy: file });
}

const keyed = (box: { home: { dir: string } }, identity = 'matchRepository') => ({
  default: [{ type: 'reject' }],
  transports: {
    docker: {
      [registry.host]: [
        {
          type: 'sigstoreSigned',
          keyPath: join(box.home.dir, 'key.pub'),
          signedIdentity: { type: identity },
        },
      ],
    },
  },
});

/** A home whose policy asks for our key. */
function strictBox(identity?: string): { box: Box; pull: (name: string) => ReturnType<Box> } {
  const box = withPolicy({});
  const file = join(box.home.dir, 'policy.json');
  writeFileSync(file, JSON.stringify(keyed(box, identity)));
  return { box, pull: name => box('pull', '-q', '--signature-policy', file, name) };
}

async function assertRefused(pull: ReturnType<Box>, box: Box, why: RegExp): Promise<void> {
  const done = await pull;
  assert.is(done.code, 125, done.stdout);
  assert.match(done.stderr, why);
  assert.is(await box.ok('images', '-q'), '');
  const blobs = join(box.home.dir, '.local/share/tsbox/images/blobs/sha256');
  assert.equal(existsSync(blobs) ? readdirSync(blobs) : [], [], 'nothing was stored');
}

test('an image that was signed with the key is pulled and runs', async () => {
  const { name } = await signed('team/good');
  const { box, pull } = strictBox();
  assert.is((await pull(name)).code, 0);
  assert.is(await box.ok('run', '--rm', '--network', 'none', name, 'echo', 'yes'), 'yes');
});

const attacks: [string, Signing, RegExp][] = [
  ['another key', { key: other.privateKey }, /not made with a key of the policy/],
  ['a text that was changed', { damage: true }, /not made with a key of the policy/],
  ['the signature of another image', { image: `sha256:${'0'.repeat(64)}` }, /is for sha256:0000/],
  ['the signature of another repository', { name: 'elsewhere.example/x' }, /signed under the name/],
];
for (const [i, [title, how, why]] of attacks.entries()) {
  test(`refused, and nothing is stored: ${title}`, async () => {
    const { name } = await signed(`bad/n${i}`, how);
    const { box, pull } = strictBox();
    await assertRefused(pull(name), box, why);
  });
}

test('refused: no signature at all, a reject, a kind of requirement that cannot be verified', async () => {
  await push(registry, 'bare/image', 'v1', busyboxImage());
  const name = `${registry.host}/bare/image:v1`;
  const { box, pull } = strictBox();
  await assertRefused(pull(name), box, /it is not signed/);
  for (const [policy, why] of [
    [{ default: [{ type: 'reject' }] }, /the signature policy rejects it/],
    [{ default: [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' }] }, /asks for signedBy/],
  ] as const) {
    const strict = withPolicy(policy);
    const file = join(strict.home.dir, 'policy.json');
    await assertRefused(strict('pull', '-q', '--signature-policy', file, name), strict, why);
  }
});

test('by a tag, matchRepoDigestOrExact wants the very name; by a digest the repository is enough', async () => {
  const { name, digest } = await signed('team/exact');
  const { box, pull } = strictBox('matchRepoDigestOrExact');
  await assertRefused(pull(name), box, /signed under the name/);
  assert.is((await pull(`${registry.host}/team/exact@${digest}`)).code, 0);
});

test('--require-signature: accepting anything is not enough; the policy of the home directory counts', async () => {
  const { name } = await signed('team/required');
  const box = withPolicy({});
  await assertRefused(box('run', '--rm', '--require-signature', name, 'true'), box, /names no key for it/);
  const config = join(box.home.dir, '.config/tsbox');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'policy.json'), JSON.stringify(keyed(box)));
  assert.is(
    await box.ok('run', '--rm', '--network', 'none', '--require-signature', name, 'echo', 'ok'),
    'ok',
  );
});

test('images.require_signature, or the variable: every pull needs a signature, load has none, what is here runs', async () => {
  const { name } = await signed('team/always');
  const box = withPolicy({});
  const archive = dockerArchive(busyboxImage(), 'busybox:latest', join(box.home.dir, 'image.tar'));
  const config = join(box.home.dir, '.config/tsbox');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'config.toml'), 'images.require_signature = true\n');
  const free = box.with({ env: { TSBOX_REQUIRE_SIGNATURE: 'false' } });
  for (const args of [
    ['pull', name],
    ['pull', '--require-signature=false', name],
    ['run', '--rm', name, 'true'],
  ])
    await assertRefused(box(...args), box, /names no key for it|require-signature/);
  await assertRefused(box('load', '-q', '-i', archive), box, /an archive has none/);
  await free.ok('load', '-q', '-i', archive);
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'busybox', 'echo', 'here'), 'here');
  await box.ok('rmi', 'busybox');
  const always = free.with({ env: { TSBOX_REQUIRE_SIGNATURE: '1' } });
  writeFileSync(join(config, 'config.toml'), '');
  await assertRefused(always('pull', name), box, /names no key for it/);
  writeFileSync(join(config, 'policy.json'), JSON.stringify(keyed(box)));
  assert.is((await always('pull', '-q', name)).code, 0);
});

test('load takes an archive only where the policy accepts anything', async () => {
  const box = withPolicy({});
  const config = join(box.home.dir, '.config/tsbox');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'policy.json'), JSON.stringify({ default: [{ type: 'reject' }] }));
  const archive = dockerArchive(busyboxImage(), 'busybox:latest', join(box.home.dir, 'image.tar'));
  await assertRefused(box('load', '-q', '-i', archive), box, /archive/);
});

test('a policy that is wrong is said, with the file and the member', async () => {
  const box = withPolicy({ default: [{ type: 'sigstoreSigned' }] });
  const file = join(box.home.dir, 'policy.json');
  await box.fails(
    125,
    /policy\.json: default\[0\] has neither keyPath nor keyData/,
    'pull',
    '--signature-policy',
    file,
    `${registry.host}/x`,
  );
});

test.run();
