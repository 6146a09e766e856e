import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Approximation } from '../cgroup/approximate.ts';
import type { CgroupDriverName, LimitOutcome } from '../cgroup/driver.ts';
import { newId } from '../store/atomic.ts';
import type { Engine } from './context.ts';

/**
 * `<store>/groups/<short>.json`: the control group of a container that runs, or what stands in for it. Written by a start that has its lock. Until
 * then the file of the start is `<short>.<random>.json`, which tells a sweep of a group whose maker was killed.
 * In the store, since a cron job has another runtime directory than a login, and whoever joins the container must know its group.
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
const SHORT = 16;
/** `id`: of a container, or one that `listGroupFiles` gives. */
const file = (engine: Engine, id: string): string =>
  join(directory(engine), `${id[SHORT] === '.' ? id : id.slice(0, SHORT)}.json`);

export const writeGroupFile = (engine: Engine, group: GroupFile): void =>
  publishGroupFile(engine, group, draftGroupFile(engine, group));

/** The file of a start that may still come to nothing; the id that it has here. */
export function draftGroupFile(engine: Engine, group: GroupFile): string {
  mkdirSync(directory(engine), { recursive: true, mode: 0o700 });
  const draft = `${group.id.slice(0, SHORT)}.${newId().slice(0, 12)}`;
  writeFileSync(file(engine, draft), JSON.stringify(group), { mode: 0o600 });
  return draft;
}

export const publishGroupFile = (engine: Engine, { id }: GroupFile, draft: string): void =>
  renameSync(file(engine, draft), file(engine, id));

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

/** The first 16 digits of the ids of containers that have a file; for that of a start, a dot and its own digits follow. */
export function listGroupFiles(engine: Engine): string[] {
  try {
    return readdirSync(directory(engine)).flatMap(name =>
      name.endsWith('.json') ? [name.slice(0, -5)] : [],
    );
  } catch {
    return [];
  }
}
