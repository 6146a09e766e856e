import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import type { ImageIndex } from '../../../src/oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform } from '../../../src/oci/platform.ts';

const test = suite('oci/platform');

const HOSTS: ReadonlyArray<readonly [string, unknown, string]> = [
  ['x64', undefined, 'linux/amd64'],
  ['arm64', undefined, 'linux/arm64'],
  ['arm', '7', 'linux/arm/v7'],
  ['arm', '6', 'linux/arm/v6'],
  ['ia32', undefined, 'linux/386'],
  ['s390x', undefined, 'linux/s390x'],
  ['riscv64', undefined, 'linux/riscv64'],
];
for (const [arch, version, expected] of HOSTS) {
  test(`node's ${arch} is ${expected}`, () =>
    assert.is(formatPlatform(hostPlatform(arch, version)), expected));
}

const PARSED: ReadonlyArray<readonly [string, string]> = [
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/aarch64', 'linux/arm64'],
  ['arm64', 'linux/arm64'],
  ['linux/x86_64', 'linux/amd64'],
  ['Linux/AMD64', 'linux/amd64'],
  ['linux/arm', 'linux/arm'],
  ['linux/armhf', 'linux/arm/v7'],
  ['windows/amd64', 'windows/amd64'],
];
for (const [text, expected] of PARSED) {
  test(`reads ${text}`, () => assert.is(formatPlatform(parsePlatform(text)), expected));
}

for (const text of ['', '/', 'linux/', 'linux/amd64/v1/x', 'linux amd64', 'linux/am\0d64']) {
  test(`refuses ${JSON.stringify(text)}`, () =>
    assert.throws(
      () => parsePlatform(text),
      (e: TsboxError) => e.code === 'USAGE',
    ));
}

const indexOf = (...platforms: (string | undefined)[]): ImageIndex => ({
  kind: 'index',
  mediaType: OCI_INDEX,
  manifests: platforms.map((text, i) => {
    const [os = '', architecture = '', variant] = text?.split('/') ?? [];
    const digest = `sha256:${String(i).padStart(64, '0')}`;
    return {
      mediaType: OCI_MANIFEST,
      digest,
      size: 1,
      ...(text && { platform: { os, architecture, variant } }),
    };
  }),
});

const CHOICES: ReadonlyArray<readonly [string, readonly (string | undefined)[], number]> = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
  ['linux/amd64', ['linux/386', 'linux/amd64'], 1],
  ['linux/amd64', ['linux/386', 'linux/arm64'], 0],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 1],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v3'], 2],
  ['linux/arm64', ['linux/arm/v7', 'linux/arm64/v8'], 1],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 1],
  ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 1],
  ['linux/amd64', ['unknown/unknown', 'linux/amd64'], 1],
  ['linux/amd64', [undefined, 'linux/amd64'], 1],
  ['linux/amd64', [undefined], 0],
  ['linux/amd64', ['linux/amd64', 'linux/amd64'], 0],
  ['linux/s390x', ['windows/s390x', 'linux/s390x'], 1],
];
for (const [want, have, expected] of CHOICES) {
  test(`${want} of ${have.join(' ')}`, () => {
    const index = indexOf(...have);
    assert.is(choosePlatform(index, parsePlatform(want), 'x'), index.manifests[expected]);
  });
}

test('says what there is', () => {
  const index = indexOf('linux/arm64', 'linux/arm/v7', 'unknown/unknown', 'linux/arm64');
  try {
    choosePlatform(index, parsePlatform('linux/amd64'), 'docker.io/library/x:1');
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TsboxError);
    assert.is((error as TsboxError).code, 'PLATFORM');
    assert.is(
      (error as TsboxError).message,
      'docker.io/library/x:1 has no image for linux/amd64: it has linux/arm64, linux/arm/v7',
    );
  }
});

test('an architecture may have the name of a method of objects', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const index = indexOf(`linux/${name}`, 'linux/amd64');
    assert.is(choosePlatform(index, parsePlatform('linux/amd64'), 'x'), index.manifests[1]);
    assert.is(
      choosePlatform(index, { os: 'linux', architecture: name, variant: undefined }, 'x'),
      index.manifests[0],
    );
  }
});

test('a higher variant is never chosen', () => {
  assert.throws(() => choosePlatform(indexOf('linux/amd64/v3'), parsePlatform('linux/amd64'), 'x'));
  assert.throws(() => choosePlatform(indexOf('linux/arm/v7'), parsePlatform('linux/arm/v6'), 'x'));
});

test.run();
