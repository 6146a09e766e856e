// run as: ranges
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';
import { umlTests } from '../support/uml/tests.ts';
import { bootVm } from '../support/vm/boot.ts';

/** `--strict` that succeeds: on a kernel that has every wall it asks for, whatever this machine has (test/support/vm/strict.mjs). */
const program = fileURLToPath(new URL('../support/vm/strict.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 500_000;

const test = requires(
  suite('--strict in a virtual machine'),
  'long',
  'qemu',
  'kernel',
  'busybox',
  'newuidmap',
);
umlTests(test, CHECKS, () => {
  const path = join(tempHome().dir, 'bb.tar');
  const image = dockerArchive(busyboxImage(), 'bb:latest', path);
  return bootVm({ 'bb.tar': readFileSync(image) }, LIMIT_MS);
});

test.run();
