import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Approximation } from '../cgroup/approximate.ts';
import type { CgroupDriverName, LimitOutcome } from '../cgroup/driver.ts';
import type { Engine } from './context.ts';

/**
 * `<store>/groups/<short>.json`: the control group of a container that runs, or what stands in for it. Written before its first process is in
 * it. In the store, since a cron job has another runtime directory than a login, and whoever joins the container must know its group.
 */
export interface GroupFile {
  readonly version: 1;
  readonly id: string;
  readonly driver: CgroupDriverName;
  /** Absent: there is none. */
  readonly path?: string;
  readonly unit?: string;
  /** Who made it, `pid-start-boot`: while they live it may still be empty. */
  readonly maker: string;
  readonly limits: readonly LimitOutcome[];
  readonly approximation?: Approximation;
}

const directory = (engine: Engine): string => join(engine.paths.root, 'groups');
const file = (engine: Engine, id: string): string => join(directory(engine), `${id.slice(0, 16)}.json`);

export function writeGroupFile(engine: Engine, group: GroupFile): void {
  mkdirSync(directory(engine), { recursive: true, mode: 0o700 });
  const path = file(engine, group.id);
  writeFileSync(`${path}.${process.pid}`, JSON.stringify(group), { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
}

/** Undefined: it has none, and no limits. One of an earlier run, whose group is gone, counts as none; so does a file cut off by a crash of the machine. */
export function readGroupFile(engine: Engine, id: string): GroupFile | undefined {
  const group = parseGroupFile(engine, id);
  return group?.path === undefined || existsSync(group.path) ? group : undefined;
}

/** As it was written, also when the group is gone. */
export function parseGroupFile(engine: Engine, id: string): GroupFile | undefined {
  try {
    return JSON.parse(readFileSync(file(engine, id), 'utf8')) as GroupFile;
  } catch {
    return undefined;
  }
}

export const removeGroupFile = (engine: Engine, id: string): void =>
  rmSync(file(engine, id), { force: true });

/** The first 16 digits of the ids of containers that have a file. */
export function listGroupFiles(engine: Engine): string[] {
  try {
    return readdirSync(directory(engine)).flatMap(name =>
      name.endsWith('.json') ? [name.slice(0, -5)] : [],
    );
  } catch {
    return [];
  }
}
