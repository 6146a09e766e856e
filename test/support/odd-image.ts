import { gzipSync } from 'node:zlib';
import { configBytes, digestOf, type TestImage } from './images.ts';
import { archive, type Bytes, dir, entry, fifo, file, hardlink, pax, symlink } from './tar-bytes.ts';

/** VFS_CAP_REVISION_2 with cap_net_raw effective and permitted, as setcap(8) writes it. */
const CAP_NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const NANO = '1234567890.123456789';
const LONG = `odd/${'d'.repeat(200)}/${'f'.repeat(95)}`;

const timed = (time: string, name: string): Buffer => Buffer.concat([pax({ mtime: time }), file(name, name)]);
const withXattrs = (name: string, xattrs: Readonly<Record<string, Bytes>>): Buffer =>
  Buffer.concat([
    pax(Object.fromEntries(Object.entries(xattrs).map(([key, value]) => [`SCHILY.xattr.${key}`, value]))),
    file(name, name, { mode: 0o755 }),
  ]);

/** A hole of a megabyte before the first data and one after it, as GNU tar writes them (sparse format 1.0). */
function sparse(name: string, size: number): Buffer {
  const map = Buffer.alloc(512);
  map.write(`2\n${size / 2}\n4096\n${size}\n0\n`);
  const head = pax({
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': name,
    'GNU.sparse.realsize': String(size),
  });
  return Buffer.concat([head, file('GNUSparseFile.0/x', Buffer.concat([map, Buffer.alloc(4096, 'data')]))]);
}

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

function oddLayer(sparseFiles: boolean, large: boolean): Buffer {
  return archive(
    dir('odd/'),
    file('odd/owned', 'mine', { uid: 1000, gid: 2000 }),
    file('odd/high', 'high', { uid: 60_000, gid: 60_001 }),
    dir('odd/owned-dir/', { uid: 33, gid: 44 }),
    symlink('odd/owned-link', '/etc/hello', { uid: 1000, gid: 1000 }),
    file('odd/setuid', 'u', { mode: 0o4755 }),
    file('odd/setgid', 'g', { mode: 0o2711, gid: 42 }),
    dir('odd/sticky/', { mode: 0o1777 }),
    file('odd/private', 'p', { mode: 0o600 }),
    file('odd/nothing', 'n', { mode: 0 }),
    timed(NANO, 'odd/nanoseconds'),
    timed('86400', 'odd/long-ago'),
    entry({ name: 'odd/old-dir/', type: '5', mode: 0o755, mtime: 500_000_000 }),
    file('odd/first', 'linked'),
    hardlink('odd/second', 'odd/first'),
    hardlink('odd/third', 'odd/first'),
    symlink('odd/dangling', '../nowhere'),
    fifo('odd/fifo', { mode: 0o640 }),
    withXattrs('odd/comment', { 'user.comment': Buffer.from([0, 1, 0xff, 0x0a, 0x3d]), 'user.a': 'text' }),
    withXattrs('odd/ping', { 'security.capability': CAP_NET_RAW }),
    ...(sparseFiles ? [sparse('odd/sparse', 2 << 20)] : []),
    file(utf8('odd/ünïcödé 日本語'), 'names'),
    pax({ path: LONG }),
    file('odd/short', 'a name of 300 bytes'),
    ...(large ? [sparse('odd/large', 9 * 2 ** 30)] : []),
  );
}

/** An image with everything in it that has ever been lost between two tools. `large`: with a file of 9 GiB, sparse. */
export function oddImage({
  sparseFiles = false,
  large = false,
} = {}): TestImage & { readonly config: Readonly<Record<string, unknown>> } {
  return {
    layers: [archive(dir('etc/'), file('etc/hello', 'hello')), oddLayer(sparseFiles, large)],
    config: {
      User: '1000:2000',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Env: ['PATH=/bin', 'EMPTY=', 'SPACES=a b'],
      Entrypoint: ['/bin/init'],
      Cmd: ['-x', 'ünï'],
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      Labels: { 'org.example.a': '1', empty: '' },
      StopSignal: 'SIGQUIT',
    },
  };
}

export interface OddBlobs {
  readonly config: Buffer;
  readonly layers: readonly Buffer[];
  readonly manifest: Buffer;
}

const HISTORY = [
  { created: '2026-01-02T03:04:05Z', created_by: 'ADD base', comment: 'first' },
  { created: '2026-01-02T03:04:06Z', created_by: 'ENV EMPTY=', empty_layer: true },
  { created: '2026-01-02T03:04:07.123456789Z', created_by: 'COPY odd /odd', author: 'A <a@example.org>' },
];

/** The blobs as a registry would hold them: gzip layers, OCI documents. */
export function oddBlobs(image: TestImage): OddBlobs {
  const base = JSON.parse(configBytes(image).toString()) as object;
  const config = Buffer.from(JSON.stringify({ ...base, author: 'A <a@example.org>', history: HISTORY }));
  const layers = image.layers.map(layer => gzipSync(layer, { level: 1 }));
  const type = 'application/vnd.oci.image';
  const describe = (bytes: Buffer, mediaType: string): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${type}.manifest.v1+json`,
      config: describe(config, `${type}.config.v1+json`),
      layers: layers.map(layer => describe(layer, `${type}.layer.v1.tar+gzip`)),
    }),
  );
  return { config, layers, manifest };
}
