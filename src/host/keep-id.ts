import type { IdMapLine } from '../plan/ops.ts';
import { keepIdMap } from './id-ranges.ts';
import type { UsernsMaps } from './idmap.ts';
import { ourGid, ourUid } from './paths.ts';

/** `keep-id:uid=,gid=`: the caller under another number inside; the same subordinate ids fill the numbers around it. */
export function keepIdAs(
  maps: UsernsMaps,
  inside: { readonly uid?: number; readonly gid?: number },
): UsernsMaps {
  return {
    ...maps,
    uid: inside.uid === undefined ? maps.uid : moveSelf(maps.uid, ourUid(), inside.uid),
    gid: inside.gid === undefined ? maps.gid : moveSelf(maps.gid, ourGid(), inside.gid),
  };
}

/** Pure. `self` is one line of the map, as keepIdMap made it; subordinate ranges never contain it. */
export function moveSelf(map: readonly IdMapLine[], self: number, inside: number): IdMapLine[] {
  const others = map.filter(line => line.outside !== self);
  const ranges = others.map(({ outside, count }) => ({ start: outside, count }));
  return keepIdMap(inside, ranges).map(line => (line.inside === inside ? { ...line, outside: self } : line));
}
