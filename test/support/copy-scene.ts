import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Box } from './cli.ts';
import { busybox } from './ready.ts';

/** A container to copy from and to, in the state asked for, with one script run in it before. */
export async function container(
  state: 'created' | 'running' | 'exited',
  script = 'true',
  ...flags: string[]
): Promise<{ box: Box; id: string; sh(script: string): Promise<string> }> {
  const box = await busybox();
  const command = state === 'running' ? `${script}\necho ready\nsleep 1000` : script;
  const id = await box.ok('create', '--network', 'none', ...flags, 'busybox', 'sh', '-c', command);
  if (state === 'exited') await box.ok('start', '-a', id);
  if (state === 'running') {
    await box.ok('start', id);
    await ready(box, id);
  }
  // Looks into it by a start or an exec, which knows nothing of cp.
  const sh = (line: string): Promise<string> => box.ok('exec', id, 'sh', '-c', line);
  return { box, id, sh };
}

async function ready(box: Box, id: string): Promise<void> {
  const logs = box.start('logs', '-f', id);
  try {
    await new Promise<void>((resolve, reject) => {
      logs.stdout?.once('data', () => resolve());
      logs.once('close', () => reject(new Error('the container ended before it was ready')));
    });
  } finally {
    logs.kill();
  }
}

/** A new directory on the host. */
export async function hostDirectory(): Promise<string> {
  const { home } = await busybox();
  const parent = join(home.dir, 'copies');
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'd-'));
}
