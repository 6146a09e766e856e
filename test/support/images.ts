import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { addSanitizerLibraries } from './sanitized.ts';
import { tempHome } from './temp-home.ts';

/** An image in memory: layers as uncompressed tar archives, the base first. */
export interface TestImage {
  readonly layers: readonly Buffer[];
  /** The `config` of an OCI image configuration: Cmd, Env, User, … */
  readonly config: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
}

export const digestOf = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
export const SHELL_CONFIG = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Cmd: ['sh'],
};

/** The configuration blob of an image. */
export function configBytes(image: TestImage): Buffer {
  const layers = image.layers.map(digestOf);
  return Buffer.from(
    JSON.stringify({
      created: '2026-01-02T03:04:05Z',
      architecture: image.architecture ?? ARCHITECTURE,
      os: 'linux',
      config: image.config,
      rootfs: { type: 'layers', diff_ids: layers },
      history: layers.map(() => ({ created: '2026-01-02T03:04:05Z', created_by: 'test' })),
    }),
  );
}

/** Packs a directory into a layer: owners 0:0 unless `owner` says otherwise, times fixed, order fixed. */
export function layerOf(dir: string, owner = '0:0'): Buffer {
  const [uid, gid] = owner.split(':');
  const args = [
    `--owner=:${uid}`,
    `--group=:${gid}`,
    '--numeric-owner',
    '--sort=name',
    '--mtime=@1767322445',
  ];
  const done = spawnSync('tar', ['-C', dir, ...args, '--format=gnu', '-cf', '-', '.'], {
    maxBuffer: 1 << 30,
  });
  if (done.status !== 0) throw new Error(`tar: ${done.stderr}`);
  return done.stdout;
}

/** A layer with the given files: path to content, or `{link}` for a symbolic link. */
export function layerWith(files: Readonly<Record<string, string | { link: string }>>, mode = 0o644): Buffer {
  return inScratch(dir => {
    for (const [path, content] of Object.entries(files)) {
      const target = join(dir, path);
      mkdirSync(join(target, '..'), { recursive: true });
      if (typeof content !== 'string') symlinkSync(content.link, target);
      else {
        writeFileSync(target, content);
        chmodSync(target, mode);
      }
    }
    return layerOf(dir);
  });
}

function inScratch<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync(join(tempHome().dir, 'scratch-'));
  chmodSync(dir, 0o755);
  try {
    return work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

let busyboxLayer: Buffer | undefined;

/** A small system like Alpine's: busybox under all its names, users, the usual directories. */
export function busyboxImage(config: Readonly<Record<string, unknown>> = {}): TestImage {
  busyboxLayer ??= inScratch(dir => {
    buildBusyboxRoot(dir);
    return layerOf(dir);
  });
  return { layers: [busyboxLayer], config: { ...SHELL_CONFIG, ...config } };
}

function buildBusyboxRoot(dir: string): void {
  for (const name of [
    'bin',
    'dev',
    'etc',
    'home/app',
    'proc',
    'root',
    'run',
    'srv',
    'sys',
    'tmp',
    'usr/bin',
    'usr/sbin',
    'var/log',
  ]) {
    mkdirSync(join(dir, name), { recursive: true });
  }
  chmodSync(join(dir, 'tmp'), 0o1777);
  addSanitizerLibraries(dir);
  copyFileSync('/bin/busybox', join(dir, 'bin/busybox'));
  chmodSync(join(dir, 'bin/busybox'), 0o755);
  const applets = spawnSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n');
  for (const applet of applets.filter(a => a !== 'busybox'))
    symlinkSync('/bin/busybox', join(dir, 'bin', applet));
  symlinkSync('/bin/busybox', join(dir, 'usr/bin/env'));
  writeFileSync(
    join(dir, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/bin/false\napp:x:1000:1000::/home/app:/bin/sh\n',
  );
  writeFileSync(join(dir, 'etc/group'), 'root:x:0:\nbin:x:1:\nextra:x:44:app\napp:x:1000:\n');
  writeFileSync(join(dir, 'etc/os-release'), 'ID=tsbox-test\nPRETTY_NAME="tsbox test image"\n');
}

/** Writes an image as `docker save` does, and returns the archive's path. */
export function dockerArchive(image: TestImage, name: string | undefined, path: string): string {
  return inScratch(dir => {
    const config = configBytes(image);
    const configName = `${digestOf(config).slice(7)}.json`;
    writeFileSync(join(dir, configName), config);
    const layers = image.layers.map((layer, i) => {
      mkdirSync(join(dir, `${i}`));
      writeFileSync(join(dir, `${i}/layer.tar`), layer);
      return `${i}/layer.tar`;
    });
    const manifest = [{ Config: configName, RepoTags: name ? [name] : null, Layers: layers }];
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
    return packed(dir, path);
  });
}

function packed(dir: string, path: string): string {
  const done = spawnSync('tar', ['-C', dir, '-cf', path, '.'], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`tar: ${done.stderr}`);
  return path;
}

export type Compression = 'none' | 'gzip' | 'zstd';

/** A layer as a registry holds it. */
export function compress(layer: Buffer, how: Compression): { bytes: Buffer; mediaType: string } {
  const type = 'application/vnd.oci.image.layer.v1.tar';
  if (how === 'none') return { bytes: layer, mediaType: type };
  if (how === 'gzip') return { bytes: gzipSync(layer, { level: 1 }), mediaType: `${type}+gzip` };
  const done = spawnSync('zstd', ['-q', '-1', '-c'], { input: layer, maxBuffer: 1 << 30 });
  if (done.status !== 0) throw new Error(`zstd: ${done.stderr}`);
  return { bytes: done.stdout, mediaType: `${type}+zstd` };
}

export interface Blobs {
  /** Digest to content: config, layers and the manifest itself. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifest: Buffer;
  readonly mediaType: string;
}

/** An image as content-addressed blobs with an OCI manifest. */
export function ociBlobs(image: TestImage, how: Compression = 'gzip'): Blobs {
  const config = configBytes(image);
  const layers = image.layers.map(layer => compress(layer, how));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const describe = (bytes: Buffer, type: string): object => ({
    mediaType: type,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map(l => describe(l.bytes, l.mediaType)),
    }),
  );
  const all = [config, manifest, ...layers.map(l => l.bytes)];
  return { blobs: new Map(all.map(b => [digestOf(b), b])), manifest, mediaType };
}

/** Writes an image as an OCI archive (an image layout in a tar). */
export function ociArchive(image: TestImage, name: string | undefined, path: string): string {
  return inScratch(dir => {
    const { blobs, manifest, mediaType } = ociBlobs(image);
    mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
    for (const [digest, bytes] of blobs) writeFileSync(join(dir, 'blobs/sha256', digest.slice(7)), bytes);
    writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const annotations = name ? { 'org.opencontainers.image.ref.name': name } : undefined;
    const entry = { mediaType, digest: digestOf(manifest), size: manifest.length, annotations };
    writeFileSync(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    return packed(dir, path);
  });
}
