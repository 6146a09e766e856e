import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT } from './source.ts';

/**
 * `TSBOX_TEST_SANITIZED=1 npm test -- e2e/exec`: tests with the helper that has AddressSanitizer and UBSan in it (`make -C helpers asan`).
 * That program is not static. The part of it that runs in a container's root needs its libraries there: the test image gets them.
 */
export const SANITIZED = process.env.TSBOX_TEST_SANITIZED
  ? join(PROJECT, 'helpers/build/tsbox-helper-asan')
  : undefined;

/** Copies the libraries of the sanitized helper below a root, if there is one. */
export function addSanitizerLibraries(root: string): void {
  if (SANITIZED === undefined) return;
  const listed = spawnSync('ldd', [SANITIZED], { encoding: 'utf8' }).stdout;
  for (const [, path] of listed.matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)) {
    if (path === undefined) continue;
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}
