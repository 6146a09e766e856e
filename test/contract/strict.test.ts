// run as: ranges
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { requires } from '../support/requires.ts';
import { archive, dir, file, hardlink, symlink } from '../support/tar-bytes.ts';
import { tempHome } from '../support/temp-home.ts';
import { umlTests } from '../support/uml/tests.ts';
import { bootVm } from '../support/vm/boot.ts';

/** `--strict` that succeeds: on a kernel that has every wall it asks for, whatever this machine has (test/support/vm/strict.mjs). */
const program = fileURLToPath(new URL('../support/vm/strict.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 900_000;

/** A link and what is behind it, in spellings that a file system which folds case takes for one. */
const CANARY = '/home/u/canary';
const below = (name: string): Buffer => Buffer.from(`${name}/file`);
const FOLDED = [
  archive(symlink('Link', CANARY), file(below('link'), 'pwned')),
  archive(
    symlink(Buffer.from('Stra\u00dfe'), `${CANARY}/file`),
    file(Buffer.from('STRASSE'), 'pwned'),
    hardlink('again', Buffer.from('strasse')),
  ),
  archive(
    dir(Buffer.from('\u00e9/')),
    symlink(Buffer.from('e\u0301'), CANARY),
    file(below('\u00c9'), 'pwned'),
  ),
];

const test = requires(
  suite('--strict in a virtual machine'),
  'long',
  'qemu',
  'kernel',
  'busybox',
  'newuidmap',
  'fuse-overlayfs',
);
umlTests(test, CHECKS, () => {
  const packed = (layers: readonly Buffer[]): Buffer => {
    const base = busyboxImage();
    const image = { ...base, layers: [...base.layers, ...layers] };
    return readFileSync(dockerArchive(image, 'bb:latest', join(tempHome().dir, 'bb.tar')));
  };
  const evil = FOLDED.map((layer, i) => [`evil/${i}.tar`, packed([layer])] as const);
  return bootVm({ 'bb.tar': packed([]), ...Object.fromEntries(evil) }, LIMIT_MS);
});

test.run();
