import { join } from 'node:path';
import { type Box, openBox } from './cli.ts';
import { busyboxImage, dockerArchive } from './images.ts';
import { tempHome } from './temp-home.ts';

let box: Promise<Box> | undefined;

/** The test file's own home with the image `busybox` in its store; made when a test first asks. */
export function busybox(): Promise<Box> {
  box ??= prepare();
  return box;
}

async function prepare(): Promise<Box> {
  const home = tempHome();
  const opened = openBox(home);
  await opened.ok(
    'load',
    '-i',
    dockerArchive(busyboxImage(), 'busybox:latest', join(home.dir, 'busybox.tar')),
  );
  return opened;
}

/** `run --rm --network none busybox sh -c SCRIPT` with flags before the image: what most tests want. */
export async function sh(script: string, ...flags: string[]): Promise<string> {
  return (await busybox()).ok('run', '--rm', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script);
}

/** A container that sleeps; its full id. Remove it with `rm -f`. */
export async function sleeper(...flags: string[]): Promise<string> {
  return (await busybox()).ok('run', '-d', '--network', 'none', ...flags, 'busybox', 'sleep', '1000');
}

/** Takes every container away: for `test.after.each`, so that one failure does not become many. */
export async function removeContainers(): Promise<void> {
  const opened = await busybox();
  const ids = (await opened('ps', '-aq')).stdout.split('\n').filter(Boolean);
  if (ids.length) await opened('rm', '-f', '-v', ...ids);
}

/** One field of `inspect`, by a Go template. */
export async function field(name: string, template: string): Promise<string> {
  return (await busybox()).ok('inspect', '--format', template, name);
}
