import { readFileSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import type { Config } from './config.ts';
import { directMap, type IdRange, joinRanges, rangeProblem, splitRanges } from './id-ranges.ts';
import type { UsernsMaps } from './idmap.ts';
import { subidAdvice, subidsOf } from './subid.ts';

/**
 * The ids of root's containers when nobody has given root subordinate ids: above what systemd-nspawn takes for containers
 * (below 0x70000000) and below 2^31, which some programs read as negative. A fixed place, since layers on disk have these owners.
 */
const HIGH_RANGE: IdRange = { start: 0x7000_0000, count: 0x10_0000 };

/**
 * Maps for tsbox started by root: 0 inside is the first id of a range, never the host's root. Root writes the map itself,
 * without newuidmap. Throws SUBID for ranges that overlap or overflow, USAGE for keep-id, which would keep root.
 */
export async function rootMaps(config: Config, mode: Config['userns']['mode']): Promise<UsernsMaps> {
  if (mode === 'keep-id') {
    throw new TsboxError(
      'USAGE',
      'the user namespace mode keep-id would make the host’s root the container’s user',
      {
        hint: 'start tsbox as the user whose id shall be kept',
      },
    );
  }
  const { uid, gid } = await rootRanges(config.userns.rootUser);
  const [first, firstGid] = [splitRanges(uid, 1)[0], splitRanges(gid, 1)[0]];
  if (mode === 'single')
    return { mode, uid: directMap(first), gid: directMap(firstGid), denySetgroups: true };
  return { mode: 'root', uid: directMap(uid), gid: directMap(gid), denySetgroups: false };
}

async function rootRanges(user: string | undefined): Promise<{ uid: IdRange[]; gid: IdRange[] }> {
  const inner = containerRanges('uid');
  if (inner) return { uid: inner, gid: containerRanges('gid') ?? inner };
  const found = await subidsOf(user === undefined ? { name: 'root', uid: 0 } : { name: user, uid: -1 });
  const [uid, gid] = [joinRanges(found.uid), joinRanges(found.gid)];
  const wrong = rangeProblem(uid, 0) ?? rangeProblem(gid, 0);
  if (wrong)
    throw new TsboxError('SUBID', `the subordinate ids of ${user ?? 'root'} cannot be used: ${wrong}`, {
      check: 'subid-invalid',
    });
  if (uid.length > 0 && gid.length > 0) return { uid, gid };
  if (user === undefined) return { uid: [HIGH_RANGE], gid: [HIGH_RANGE] };
  throw new TsboxError('SUBID', `${user}, whose subordinate ids the configuration gives to root, has none`, {
    hint: subidAdvice(user),
    check: 'subid-missing',
  });
}

/**
 * Root of a container is not the machine's root and has no high ids: it passes on the ids it has (identity). Undefined on
 * the host itself, whose map is the whole space.
 */
function containerRanges(kind: 'uid' | 'gid'): IdRange[] | undefined {
  return parseOwnMap(readFileSync(`/proc/self/${kind}_map`, 'utf8'));
}

/** The ids that exist in this namespace (first column of the map); undefined for the host's map `0 0 4294967295`. */
export function parseOwnMap(text: string): IdRange[] | undefined {
  const lines = text
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number));
  const [first] = lines;
  if (lines.length === 1 && first?.[0] === 0 && first[1] === 0 && first[2] === 4294967295) return undefined;
  return lines.map(([start = 0, , count = 1]) => ({ start, count }));
}
