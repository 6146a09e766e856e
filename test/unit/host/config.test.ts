import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { defaultConfig, loadConfig } from '../../../src/host/config.ts';
import { parseConfig } from '../../../src/host/config-parse.ts';

const test = suite('host/config');

test('an empty file is the defaults', () => assert.equal(parseConfig('', 'f'), defaultConfig()));

test('every key', () => {
  const text = `
root = "/data/tsbox"
runtime_dir = "/run/me"
[storage]
driver = "vfs"
[network]
driver = "none"
[cgroup]
driver = "cgroupfs"
[images]
keep_blobs = false
require_signature = true
[registries]
insecure = ["localhost:5000"]
blocked = ["evil.example"]
aliases = { fedora = "registry.example/fedora" }
chunk_size = 1048576
[registries.mirrors]
"docker.io" = ["mirror.example", "https://other.example/v2"]
[layer]
max_ratio = 50.5
[userns]
mode = "single"
root_user = "containers"
`;
  assert.equal(parseConfig(text, 'f'), {
    root: '/data/tsbox',
    runtimeDir: '/run/me',
    storage: { driver: 'vfs' },
    network: { driver: 'none' },
    cgroup: { driver: 'cgroupfs' },
    images: { keepBlobs: false, requireSignature: true },
    registries: {
      mirrors: { 'docker.io': ['mirror.example', 'https://other.example/v2'] },
      insecure: ['localhost:5000'],
      blocked: ['evil.example'],
      aliases: { fedora: 'registry.example/fedora' },
      chunkSize: 1_048_576,
    },
    layer: { maxRatio: 50.5 },
    userns: { mode: 'single', rootUser: 'containers' },
  });
});

/** Text, line, part of the message. */
const BAD: ReadonlyArray<readonly [string, number, RegExp]> = [
  ['colour = "red"', 1, /colour is unknown; known are root/],
  ['\n[storage]\ndriver = "zfs"', 3, /storage.driver must be one of auto, overlay/],
  ['[storage]\n\n# note\ndirver = "vfs"', 4, /storage.dirver is unknown/],
  ['[strage]\ndriver = "vfs"', 1, /strage is unknown/],
  ['storage = "vfs"', 1, /storage is unknown/],
  ['images.keep_blobs = "no"', 1, /must be true or false/],
  ['images.require_signature = 1', 1, /must be true or false/],
  ['root = "relative/path"', 1, /root must be an absolute path/],
  ['root = ""', 1, /absolute path/],
  ['registries.insecure = "localhost"', 1, /must be a list of strings/],
  ['registries.insecure = [1]', 1, /must be a list of strings/],
  ['[registries.mirrors]\n"docker.io" = "x"', 1, /table of lists/],
  ['registries.aliases = "x"', 1, /table of names/],
  ['[registries.aliases]\nfedora = 5', 1, /table of names/],
  ['registries.chunk_size = 100', 1, /at least 1024/],
  ['registries.chunk_size = "5m"', 1, /a number of bytes/],
  ['layer.max_ratio = 0', 1, /at least 1/],
  ['layer.max_ratio = nan', 1, /at least 1/],
  ['[userns]\nmode = "host"', 2, /userns.mode must be one of/],
  ['root = "/a"\nroot = "/b"', 2, /redefin|duplicate|already/i],
  ['a = [', 1, /./],
  ['[userns]\n\nmode "single"', 3, /./],
];

for (const [text, line, message] of BAD) {
  test(`refused with its line: ${JSON.stringify(text)}`, () => {
    const error = thrown(() => parseConfig(text, '/etc/c.toml'));
    assert.is(error.code, 'USAGE');
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(`/etc/c.toml:${line}: `), error.message);
    assert.not.match(error.message, /\n/);
  });
}

test('a file that was asked for must be there', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-config-'));
  try {
    const file = join(dir, 'config.toml');
    let error: unknown;
    await loadConfig(file).catch((e: unknown) => {
      error = e;
    });
    assert.ok(error instanceof TsboxError && error.code === 'USAGE');
    writeFileSync(file, 'images.keep_blobs = false\n');
    assert.is((await loadConfig(file)).images.keepBlobs, false);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('TSBOX_REQUIRE_SIGNATURE wins over the file, and a word that is neither is refused', async () => {
  const before = process.env.TSBOX_REQUIRE_SIGNATURE;
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-config-'));
  const file = join(dir, 'config.toml');
  const asked = async (word: string, text: string): Promise<boolean> => {
    writeFileSync(file, text);
    process.env.TSBOX_REQUIRE_SIGNATURE = word;
    return (await loadConfig(file)).images.requireSignature;
  };
  try {
    assert.is(await asked('', 'images.require_signature = true'), true);
    assert.is(await asked('true', ''), true);
    assert.is(await asked('0', 'images.require_signature = true'), false);
    const error = await asked('yes please', '').catch((e: unknown) => e);
    assert.match(String(error), /neither true nor false: yes please/);
  } finally {
    if (before === undefined) delete process.env.TSBOX_REQUIRE_SIGNATURE;
    else process.env.TSBOX_REQUIRE_SIGNATURE = before;
    rmSync(dir, { recursive: true });
  }
});

function thrown(work: () => unknown): TsboxError {
  try {
    work();
  } catch (error) {
    if (error instanceof TsboxError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test.run();
