import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from './images.ts';
import { tempHome } from './temp-home.ts';

/** Compiles a static program that an attack needs and returns its absolute path. The same source is compiled once. */
export function compile(source: string, ...flags: string[]): string {
  const dir = join(tempHome().dir, 'programs');
  const program = join(dir, digestOf(source + flags.join(' ')).slice(7, 19));
  if (existsSync(program)) return program;
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${program}.c`, source);
  const how = flags.includes('-shared') ? flags : ['-static', ...flags];
  const done = spawnSync('cc', ['-O1', '-w', ...how, '-o', `${program}.new`, `${program}.c`], {
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`cc: ${done.stderr}`);
  renameSync(`${program}.new`, program);
  return program;
}

/** Flags that put a program into a container as /attack. */
export const asAttack = (program: string): string[] => ['-v', `${program}:/attack:ro`];

const SWAP = `#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* Exchanges NAME and NAME.swap for each name, over and over; a byte on stdout when it has begun. */
int main(int argc, char **argv) {
  char other[4096];
  write(1, "r", 1);
  for (;;)
    for (int i = 1; i < argc; i++) {
      snprintf(other, sizeof other, "%s.swap", argv[i]);
      if (renameat2(-100, argv[i], -100, other, 2)) perror(argv[i]), exit(1);
    }
}`;

/** Begins to exchange `path` with `path.swap` as fast as the kernel can, until it is stopped. Who has awaited `stop` sees still files. */
export async function swapping(...paths: string[]): Promise<{ stop(): Promise<void> }> {
  const child: ChildProcess = spawn(compile(SWAP), paths, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise(resolve => child.stdout?.once('data', resolve));
  const ended = once(child, 'exit');
  return {
    // Killed is not gone: what a test looks at next would still be exchanged under it.
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The program that swaps, to be run inside of a container. */
export const swapProgram = (): string => compile(SWAP);
