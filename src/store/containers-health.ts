import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { writeFileAtomic } from './atomic.ts';
import { containerDirectory } from './containers-read.ts';

/** `containers/<id>/health.json`, written after each check. One of an earlier run (another `start`) means nothing. */
export interface HealthFile {
  readonly version: 1;
  /** Start time of the first process that was checked, clock ticks. */
  readonly start: number;
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  /** The last five checks, oldest first. */
  readonly log: readonly HealthResult[];
}

/** As docker's inspect shows it. */
export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  /** 0: healthy; -1: it took too long. */
  readonly ExitCode: number;
  /** At most 4096 bytes. */
  readonly Output: string;
}

/** What is known of the run whose first process started at `start`. */
export function readHealth(paths: Paths, id: string, start: number): HealthFile {
  try {
    const file = JSON.parse(readFileSync(path(paths, id), 'utf8')) as HealthFile;
    if (file.version === 1 && file.start === start) return file;
  } catch {
    // None yet.
  }
  return { version: 1, start, status: 'starting', failingStreak: 0, log: [] };
}

/** A container that is gone has no health. */
export async function writeHealth(paths: Paths, id: string, health: HealthFile): Promise<void> {
  const write = writeFileAtomic(path(paths, id), `${JSON.stringify(health)}\n`, { fsync: false });
  await write.catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
  });
}

const path = (paths: Paths, id: string): string => join(containerDirectory(paths, id), 'health.json');
