import { readFileSync } from 'node:fs';
import type { Ownership } from '../layer/metadata.ts';
import type { ApplyTask } from '../layer/tasks.ts';
import { holdsId, parseIdMap } from './id-map.ts';

/** What the namespace that we are in can hold. To be called before the root is changed: it reads /proc. */
export function ownershipOf(mode: ApplyTask['mode']): Ownership {
  const [uids, gids] = [readMap('uid_map'), readMap('gid_map')];
  return {
    holdsUid: uid => holdsId(uids, uid),
    holdsGid: gid => holdsId(gids, gid),
    keepSetuid: mode !== 'single',
  };
}

const readMap = (name: string) => parseIdMap(readFileSync(`/proc/self/${name}`, 'utf8'));
