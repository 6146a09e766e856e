import type { UsernsMaps } from '../host/idmap.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { mapsFor } from './machine.ts';

type Wishes = Pick<ContainerRecord, 'userns' | 'groupAdd'>;

/** The id maps of a container. It keeps the kind of map it was made with: its files have those owners. */
export async function containerMaps(engine: Engine, record: Wishes): Promise<UsernsMaps> {
  const { mode, uid, gid } = record.userns;
  const maps = await mapsFor(engine, mode === 'root' ? 'auto' : mode);
  const own = uid === undefined && gid === undefined ? maps : await moved(maps, record.userns);
  // Nobody inside can give up or take groups then: the caller's stay, whatever the plan says of groups.
  return record.groupAdd?.includes('keep-groups') ? { ...own, denySetgroups: true } : own;
}

/**
 * Of a container that runs: its namespace is there and has its lines, whatever the machine would give a new one. What is left to know is whether
 * groups can be set in it.
 */
export function runningMaps({ userns: { mode }, groupAdd }: Wishes): UsernsMaps {
  const denySetgroups = mode === 'single' || (groupAdd?.includes('keep-groups') ?? false);
  return { mode, uid: [], gid: [], denySetgroups };
}

async function moved(maps: UsernsMaps, inside: ContainerRecord['userns']): Promise<UsernsMaps> {
  const { keepIdAs } = await import('../host/keep-id.ts');
  return keepIdAs(maps, inside);
}
