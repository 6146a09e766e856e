import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type Box, collect, statusOf, TSBOX } from './cli.ts';

/** Calls tsbox with descriptors 3 to 64 open on a directory, not close-on-exec: what a careless caller, or a leak, hands down. */
export async function withOpen(
  box: Box,
  dir: string,
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const fd = openSync(dir, 'r');
  try {
    const stdio = ['ignore', 'pipe', 'pipe', ...Array.from({ length: 62 }, () => fd)] as const;
    const child = spawn(TSBOX, args, { env: { ...box.home.env }, cwd: box.home.dir, stdio: [...stdio] });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    return { code: await statusOf(child), stdout: stdout(), stderr: stderr() };
  } finally {
    closeSync(fd);
  }
}
