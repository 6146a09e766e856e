import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { type Box, statusOf } from './cli.ts';

/** The names in an archive, as GNU tar reads it. */
export function listTar(archive: Buffer, ...options: string[]): string[] {
  const done = spawnSync('tar', ['-t', ...options, '-f', '-'], { input: archive, encoding: 'utf8' });
  assert.is(done.status, 0, done.stderr);
  return done.stdout.split('\n').filter(Boolean);
}

/** What a command writes to stdout, as bytes; its status must be 0. */
export async function tarBytes(box: Box, ...args: string[]): Promise<Buffer> {
  const child = box.start(...args);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin?.end();
  assert.is(await statusOf(child), 0);
  return Buffer.concat(chunks);
}
