import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { encodeIndex, encodeManifest, MAX_MANIFEST_SIZE, parseManifest } from '../../../src/oci/manifest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  layerCompression,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../../../src/oci/media-types.ts';

const test = suite('oci/manifest');
const DIGEST = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: OCI_CONFIG, digest: DIGEST, size: 10 };
const layer = { mediaType: OCI_LAYER_GZIP, digest: DIGEST, size: 20 };
const image = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ mediaType: OCI_MANIFEST, digest: DIGEST, size: 5 }],
};

const parse = (doc: unknown, type?: string) =>
  parseManifest(Buffer.from(typeof doc === 'string' ? doc : JSON.stringify(doc)), type);

test('reads an image manifest', () => {
  const got = parse(image, OCI_MANIFEST);
  assert.is(got.kind, 'manifest');
  if (got.kind === 'manifest') assert.equal(got.layers, [layer]);
});

test('reads an index with platforms', () => {
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.features': ['x'] };
  const got = parse({ ...index, manifests: [{ ...index.manifests[0], platform }] }, OCI_INDEX);
  if (got.kind !== 'index') throw new Error('no index');
  assert.equal(got.manifests[0]?.platform, { os: 'linux', architecture: 'arm', variant: 'v7' });
});

test('reads docker schema 2 with and without a given type', () => {
  const doc = { ...image, mediaType: DOCKER_MANIFEST };
  assert.is(parse(doc).mediaType, DOCKER_MANIFEST);
  assert.is(parse(doc, DOCKER_MANIFEST).mediaType, DOCKER_MANIFEST);
  assert.is(parse({ ...index, mediaType: DOCKER_LIST }).mediaType, DOCKER_LIST);
});

test('an OCI manifest may leave its media type out', () => {
  const { mediaType: _, ...bare } = image;
  assert.is(parse(bare).mediaType, OCI_MANIFEST);
});

test('a few thousand layers are read, 100,000 refused', () => {
  const of = (n: number) => ({ ...image, layers: Array.from({ length: n }, () => layer) });
  assert.is(parse(of(0)).kind, 'manifest');
  assert.is(parse(of(128)).kind, 'manifest');
  assert.is(parse(of(3000)).kind, 'manifest');
  refuses(of(10_000), /layers has 10000 entries/);
  refuses(of(100_000), /larger than|entries/);
});

function refuses(doc: unknown, problem: RegExp, type?: string): void {
  try {
    parse(doc, type);
  } catch (error) {
    assert.instance(error, TsboxError, String(error));
    assert.is((error as TsboxError).code, 'MANIFEST');
    assert.match((error as TsboxError).message, problem);
    return;
  }
  assert.unreachable(`accepted: ${JSON.stringify(doc)?.slice(0, 200)}`);
}

const BAD: ReadonlyArray<readonly [string, unknown, RegExp, string?]> = [
  ['manifest and index at once', { ...image, manifests: [] }, /at once/],
  ['index with a config', { ...index, config }, /at once/],
  ['another spelling for another parser', { ...image, Manifests: [] }, /spells manifests/],
  ['Layers beside layers', { ...image, Layers: [layer] }, /spells layers/],
  ['body against its own type', { ...image, mediaType: OCI_INDEX }, /its body is an image/],
  ['body against the sent type', image, /was sent as .*index/, OCI_INDEX],
  ['own type against the sent one', image, /and says it is/, DOCKER_MANIFEST],
  ['index sent as image', { ...index, mediaType: undefined }, /was sent as/, OCI_MANIFEST],
  ['unknown type', { ...image, mediaType: 'text/plain' }, /says it is text\/plain/],
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, /schema version 1/],
  ['schema 1 dressed as 2', { ...image, fsLayers: [] }, /schema version 1/],
  ['no schema version', { ...image, schemaVersion: undefined }, /no schemaVersion 2/],
  ['schema version as text', { ...image, schemaVersion: '2' }, /no schemaVersion 2/],
  ['no config', { ...image, config: undefined }, /config is not an object/],
  ['no layers', { ...image, layers: null }, /layers is not an array/],
  [
    'malformed digest',
    { ...image, config: { ...config, digest: 'sha256:../../x' } },
    /config\.digest is malformed/,
  ],
  [
    'upper-case digest',
    { ...image, layers: [{ ...layer, digest: `sha256:${'A'.repeat(64)}` }] },
    /layers\[0\]\.digest/,
  ],
  ['negative size', { ...image, layers: [{ ...layer, size: -1 }] }, /layers\[0\]\.size is not a size/],
  ['fraction', { ...image, layers: [{ ...layer, size: 1.5 }] }, /size is not a size/],
  [
    'size beyond 2^53',
    JSON.stringify(image).replace('"size":20', '"size":9007199254740993'),
    /size is not a size/,
  ],
  ['size as text', { ...image, layers: [{ ...layer, size: '20' }] }, /size is not a size/],
  ['NUL in a media type', { ...image, layers: [{ ...layer, mediaType: 'a\0b' }] }, /NUL/],
  ['layer null', { ...image, layers: [null] }, /layers\[0\] is not an object/],
  ['annotations of numbers', { ...image, annotations: { a: 1 } }, /annotations\.a is not a string/],
  ['not JSON', '{', /not JSON/],
  ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), /not JSON/],
  ['array', [], /not an object/],
  ['null', 'null', /not an object/],
  ['deep nesting', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, /not JSON|not an object/],
];

const NEST = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
/** The image with raw JSON in the place of a value that was written as "RAW". */
const raw = (doc: object, value: string): string => JSON.stringify(doc).replace('"RAW"', value);

// Whatever stands where something else belongs is named by its kind: it may be too deep, too long or too ugly to be shown.
const NESTED: ReadonlyArray<readonly [string, string, RegExp]> = [
  [
    'digest',
    raw({ ...image, config: { ...config, digest: 'RAW' } }, NEST),
    /config\.digest is malformed: object/,
  ],
  ['size', raw({ ...image, config: { ...config, size: 'RAW' } }, NEST), /config\.size is not a size/],
  ['media type', raw({ ...image, mediaType: 'RAW' }, NEST), /mediaType is not a string/],
  ['schema version', raw({ ...image, schemaVersion: 'RAW' }, NEST), /schemaVersion 2/],
  ['layers', raw({ ...image, layers: 'RAW' }, NEST), /layers\[0\] is not an object/],
];
for (const [name, text, problem] of NESTED)
  test(`refuses a million lists as ${name}`, () => refuses(text, problem));

test('what is unknown may be nested as deep as it likes', () => {
  assert.is(parse(raw({ ...image, other: 'RAW' }, NEST)).kind, 'manifest');
});

test('messages quote the document on one short line without control characters', () => {
  const ugly = `\x1b]0;owned\x07\n\u202e\x9b2J${'x'.repeat(100_000)}`;
  const documents = [
    { ...image, mediaType: ugly },
    { ...image, annotations: { [ugly]: 1 } },
    { ...image, config: { ...config, digest: ugly } },
    { ...image, LAYERS: ugly },
  ];
  for (const doc of documents) {
    assert.throws(
      () => parse(doc),
      (e: Error) => e.message.length < 500 && !/[\p{Cc}\u202e]/u.test(e.message),
    );
  }
  assert.throws(
    () => parse(image, ugly),
    (e: Error) => !/\p{Cc}/u.test(e.message) && e.message.length < 500,
  );
});

for (const [name, doc, problem, type] of BAD) test(`refuses: ${name}`, () => refuses(doc, problem, type));

test('refuses more than 4 MiB', () => {
  assert.throws(() => parseManifest(Buffer.alloc(MAX_MANIFEST_SIZE + 1, 0x20)), /larger than/);
});

test('ignores urls and data of a descriptor', () => {
  const got = parse({ ...image, layers: [{ ...layer, urls: ['http://evil.invalid/'], data: 'eA==' }] });
  if (got.kind === 'manifest') assert.equal(got.layers, [layer]);
});

test('survives __proto__ keys', () => {
  const text = JSON.stringify({ ...image, annotations: {} }).replace(
    '"annotations":{}',
    '"annotations":{"__proto__":"x"}',
  );
  assert.is(parse(text).kind, 'manifest');
  assert.is(({} as Record<string, unknown>).x, undefined);
});

test('what is encoded is read back', () => {
  const { kind: _, ...one } = { ...parse(image) } as Extract<ReturnType<typeof parse>, { kind: 'manifest' }>;
  assert.equal(parseManifest(encodeManifest(one)), parse(image));
  const { kind: __, ...list } = { ...parse(index) } as Extract<ReturnType<typeof parse>, { kind: 'index' }>;
  assert.equal(parseManifest(encodeIndex(list)), parse(index));
});

test('knows how layers are compressed', () => {
  assert.is(layerCompression(OCI_LAYER), 'none');
  assert.is(layerCompression(OCI_LAYER_GZIP), 'gzip');
  assert.is(layerCompression('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'), 'gzip');
  assert.is(layerCompression('application/vnd.oci.image.layer.nondistributable.v1.tar+zstd'), 'zstd');
  assert.is(layerCompression('application/vnd.oci.image.layer.v1.tar+lz4'), undefined);
  assert.is(layerCompression('application/vnd.cncf.helm.chart.content.v1.tar+gzip'), undefined);
});

test.run();
