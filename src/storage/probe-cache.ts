import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../host/probe.ts';
import type { StorageDriverName, StorageHost, StorageProbe } from './driver.ts';

/** A driver that said no, and why. */
export interface Refusal {
  readonly driver: StorageDriverName;
  readonly probe: StorageProbe;
}

/**
 * `storage-<mode>-<wanted>.json` in the runtime directory: what a probe found. It holds for one boot, store and
 * map mode. When a better driver was refused it holds for an hour only: the administrator may have mended what was missing.
 */
interface Remembered {
  readonly boot: string;
  readonly root: string;
  readonly driver: StorageDriverName;
  readonly refusals: readonly Refusal[];
  /** Epoch milliseconds; absent: no end. */
  readonly until?: number;
}

const HOUR = 3_600_000;

export function rememberedDriver(
  dir: string,
  host: StorageHost,
  wanted: string,
): StorageDriverName | undefined {
  const found = read(fileOf(dir, host, wanted));
  if (!found || found.boot !== bootId() || found.root !== host.root) return undefined;
  return (found.until ?? Number.POSITIVE_INFINITY) > Date.now() ? found.driver : undefined;
}

/** Best effort: a runtime directory that is full only makes the next run probe again. */
export function rememberDriver(
  dir: string,
  host: StorageHost,
  wanted: string,
  driver: StorageDriverName,
  refusals: readonly Refusal[],
): void {
  const record: Remembered = {
    boot: bootId(),
    root: host.root,
    driver,
    refusals,
    ...(refusals.length > 0 && { until: Date.now() + HOUR }),
  };
  const path = fileOf(dir, host, wanted);
  try {
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  } catch {}
}

const fileOf = (dir: string, host: StorageHost, wanted: string): string =>
  join(dir, `storage-${host.mode}-${wanted}.json`);

function read(path: string): Remembered | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Remembered;
  } catch {
    return undefined;
  }
}
