import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createGunzip } from 'node:zlib';
import { digestOf } from './images.ts';
import type { OddBlobs } from './odd-image.ts';
import type { TempHome } from './temp-home.ts';
import { type Listed, type Listing, listTar } from './tree-listing.ts';

/** docker-archive, oci-archive, oci-dir: the words of `--format`. */
export type Format = 'docker-archive' | 'oci-archive' | 'oci-dir';
export const FORMATS: readonly Format[] = ['docker-archive', 'oci-archive', 'oci-dir'];
const TRANSPORT = {
  'docker-archive': 'docker-archive',
  'oci-archive': 'oci-archive',
  'oci-dir': 'oci',
} as const;

/** What a tool holds of an image. */
export interface Held {
  /** `sha256:…` of the config. */
  readonly id: string;
  /** Of the manifest, where the tool tells. */
  readonly digest: string;
  readonly tree: Listing;
}

/** A program that reads and writes image archives. */
export interface Peer {
  readonly name: 'podman' | 'buildah' | 'skopeo';
  /** Takes the one image of an archive; an id to name it by. */
  load(path: string, format: Format): string;
  save(image: string, path: string, format: Format): void;
  held(image: string): Promise<Held>;
  /** Forgets all images. */
  clear(): void;
}

type Run = (program: string, ...args: string[]) => string;

export function runIn(home: TempHome): Run {
  return (program, ...args) => {
    const done = spawnSync(program, args, {
      env: home.env,
      cwd: home.dir,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (done.status !== 0)
      throw new Error(`${program} ${args.join(' ')}: ${done.stderr} ${done.error ?? ''}`);
    return done.stdout.trim();
  };
}

/** Rootless, with storage and policy of their own. */
export function configurePeers(home: TempHome): void {
  const directory = join(home.dir, '.config/containers');
  mkdirSync(directory, { recursive: true });
  const files = {
    'storage.conf': '[storage]\ndriver = "overlay"\n',
    'containers.conf': '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n',
    'policy.json': '{"default":[{"type":"insecureAcceptAnything"}]}',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

/** podman leaves a process behind that holds its user namespace. */
export function stopPodman(home: TempHome): void {
  const path = join(home.dir, 'run/libpod/tmp/pause.pid');
  if (existsSync(path)) process.kill(Number(readFileSync(path, 'utf8')), 'SIGKILL');
}

/** All that GNU tar sees of a directory, as the root of a user namespace with all ids. */
const PACK =
  "exec tar --xattrs --xattrs-include='*' --format=pax --sparse --sort=name --numeric-owner -cf - .";

export async function treeOf(home: TempHome, command: readonly string[]): Promise<Listing> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: home.env, cwd: home.dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let noise = '';
  child.stderr.on('data', chunk => {
    noise += String(chunk);
  });
  const status = new Promise<number | null>(resolve => child.once('close', resolve));
  const listing = await listTar(child.stdout as AsyncIterable<Buffer>).catch(
    (error: unknown) => error as Error,
  );
  if ((await status) !== 0 || listing instanceof Error)
    throw new Error(`${command.join(' ')}: ${noise} ${listing}`);
  return listing;
}

/** The tree of unpacked layers of tsbox's store, the base first. */
export async function storeTree(home: TempHome, diffIds: readonly string[]): Promise<Listing> {
  const all = new Map<string, Listed>();
  for (const id of diffIds) {
    const root = join(home.store, 'layers', id.slice(7), 'fs');
    const tree = await treeOf(home, [
      'unshare',
      '--user',
      '--map-root-user',
      '--map-auto',
      'sh',
      '-c',
      `cd ${root} && ${PACK}`,
    ]);
    for (const [name, listed] of tree) all.set(name, listed);
  }
  return all;
}

/** Both make an image's name of the path that they are given, which must then be in lower case. */
const near = (home: TempHome, path: string): string => relative(home.dir, path);

export function podman(home: TempHome): Peer {
  const run = runIn(home);
  const load = (path: string, format: Format): string => {
    if (format === 'oci-dir') run('podman', 'pull', '-q', `oci:${near(home, path)}`);
    else run('podman', 'load', '-q', '-i', path);
    return run('podman', 'images', '-q', '--no-trunc').split('\n')[0] ?? '';
  };
  return {
    name: 'podman',
    load,
    save: (image, path, format) => void run('podman', 'save', '-q', '--format', format, '-o', path, image),
    held: async image => ({
      id: image,
      digest: run('podman', 'image', 'inspect', '--format', '{{.Digest}}', image),
      tree: await treeOf(home, [
        'podman',
        'unshare',
        'sh',
        '-c',
        `cd "$(podman image mount ${image})" && ${PACK}`,
      ]),
    }),
    clear: () => void run('podman', 'rmi', '-f', '-a'),
  };
}

export function buildah(home: TempHome): Peer {
  const run = runIn(home);
  return {
    name: 'buildah',
    load: (path, format) =>
      `sha256:${run('buildah', 'pull', '-q', `${TRANSPORT[format]}:${near(home, path)}`)}`,
    save: (image, path, format) =>
      void run('buildah', 'push', '-q', image.slice(7), `${TRANSPORT[format]}:${path}:odd:1`),
    held: async image => ({
      id: image,
      digest: run(
        'buildah',
        'inspect',
        '--type',
        'image',
        '--format',
        '{{.FromImageDigest}}',
        image.slice(7),
      ),
      tree: await treeOf(home, [
        'buildah',
        'unshare',
        'sh',
        '-c',
        `c=$(buildah from --pull-never ${image.slice(7)}) && cd "$(buildah mount $c)" && ${PACK}`,
      ]),
    }),
    clear: () => {
      run('buildah', 'rm', '--all');
      run('buildah', 'rmi', '-f', '--all');
    },
  };
}

/** skopeo keeps no images: a `dir:` directory, which holds any manifest as it is, stands for its store. */
export function skopeo(home: TempHome): Peer {
  const run = runIn(home);
  const copy = (from: string, to: string) => run('skopeo', 'copy', '-q', from, to);
  const own = join(home.dir, 'skopeo');
  return {
    name: 'skopeo',
    load: (path, format) => {
      copy(`${TRANSPORT[format]}:${path}`, `dir:${own}`);
      return own;
    },
    save: (image, path, format) => void copy(`dir:${image}`, `${TRANSPORT[format]}:${path}:odd:1`),
    held: heldInDir,
    clear: () => rmSync(own, { recursive: true, force: true }),
  };
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

async function heldInDir(directory: string): Promise<Held> {
  const bytes = readFileSync(join(directory, 'manifest.json'));
  const { config, layers } = JSON.parse(bytes.toString()) as Manifest;
  const tree = new Map<string, Listed>();
  for (const { digest } of layers) {
    const path = join(directory, digest.slice(7));
    const stream = createReadStream(path);
    const isGzip = readFileSync(path).subarray(0, 2).toString('hex') === '1f8b';
    const listing = await listTar(isGzip ? stream.pipe(createGunzip()) : stream);
    for (const [name, listed] of listing) tree.set(name, listed);
  }
  return { id: config.digest, digest: digestOf(bytes), tree };
}

/** An image layout with one image, written by hand. */
export function writeLayout(directory: string, { config, layers, manifest }: OddBlobs): void {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  for (const blob of [config, manifest, ...layers]) writeFileSync(join(blobs, digestOf(blob).slice(7)), blob);
  const entry = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(manifest),
    size: manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': 'docker.io/library/odd:1' },
  };
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
}

/** Digest of the manifest in an archive or directory; empty where the format has none. */
export function digestIn(home: TempHome, path: string, format: Format): string {
  if (format === 'docker-archive') return '';
  const index =
    format === 'oci-dir'
      ? readFileSync(join(path, 'index.json'), 'utf8')
      : runIn(home)('tar', '-xOf', path, 'index.json');
  return (JSON.parse(index) as { manifests: { digest: string }[] }).manifests[0]?.digest ?? '';
}
