import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { writeFileAtomic } from '../store/atomic.ts';
import { findVolume, type VolumeRecord } from '../store/volumes.ts';
import type { Problem } from './check-problem.ts';
import type { Engine } from './context.ts';
import { removeTree } from './remove-tree.ts';

/** Has every volume its record? What it holds is never touched. */
export async function checkVolumes(engine: Engine): Promise<Problem[]> {
  const names = await readdir(engine.paths.volumes).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
  const problems = names.filter(name => !name.startsWith('.')).map(name => problemOf(engine, name));
  return (await Promise.all(problems)).filter(problem => problem !== undefined);
}

async function problemOf(engine: Engine, name: string): Promise<Problem | undefined> {
  const directory = join(engine.paths.volumes, name);
  const record = await findVolume(engine.paths, name).catch((error: unknown) => error);
  if (record instanceof TsboxError && record.code === 'STORE_VERSION') {
    return { area: 'volume', what: name, problem: messageOf(record), remedy: 'use the version that made it' };
  }
  const data = await stat(join(directory, '_data')).catch(() => undefined);
  if (data?.isDirectory() && record !== undefined && !(record instanceof Error)) return undefined;
  if (!data) {
    const mend = () => removeTree(engine, join('volumes', name));
    return { area: 'volume', what: name, problem: 'holds nothing', remedy: 'removed', mend };
  }
  return {
    area: 'volume',
    what: name,
    problem: 'has no readable volume.json',
    remedy: 'written again; its labels are lost',
    mend: () => writeRecord(directory, name, data.birthtime),
  };
}

async function writeRecord(directory: string, name: string, made: Date): Promise<void> {
  const record: VolumeRecord = {
    version: 1,
    name,
    created: made.toISOString(),
    labels: {},
    // Not to be lost with the next prune.
    anonymous: false,
  };
  await writeFileAtomic(join(directory, 'volume.json'), `${JSON.stringify(record)}\n`);
}
