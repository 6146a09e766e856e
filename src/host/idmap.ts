import { type HostCheck, TsboxError } from '../errors.ts';
import type { IdMapLine } from '../plan/ops.ts';
import type { Config } from './config.ts';
import {
  type IdRange,
  joinRanges,
  keepIdMap,
  rangeProblem,
  rangesMap,
  singleMap,
  translate,
} from './id-ranges.ts';
import { findMapper, mapperFacts } from './mapper.ts';
import { ourGid, ourUid } from './paths.ts';
import { ourName, subidAdvice, subidsOf } from './subid.ts';

/** Everything the helper needs to make a user namespace. */
export interface UsernsMaps {
  readonly mode: 'ranges' | 'single' | 'keep-id' | 'root';
  readonly uid: readonly IdMapLine[];
  readonly gid: readonly IdMapLine[];
  /** Setuid programs that write the maps; absent: the helper writes them itself. */
  readonly uidMapper?: string;
  readonly gidMapper?: string;
  /** A gid map written without privilege is accepted only after setgroups(2) has been given up. */
  readonly denySetgroups: boolean;
}

export type WantedUserns = 'auto' | 'ranges' | 'single' | 'keep-id';

export interface ChosenMaps {
  readonly maps: UsernsMaps;
  /** One line that says why `auto` had to take single mode. */
  readonly warning?: string;
  /** The finding of `tsbox doctor` that it is. */
  readonly check?: HostCheck;
}

/** What ranges and keep-id need; or why it is not there. */
type Ranges = { uid: IdRange[]; gid: IdRange[]; uidMapper: string; gidMapper: string } | Problem;

/** Why there are no ranges, and the finding of `tsbox doctor` that it is. */
interface Problem {
  readonly problem: string;
  readonly hint: string;
  readonly check: HostCheck;
}

/**
 * The id maps of a new container. `auto` takes the config's `userns.mode`, and if that is `auto` too: ranges, else single with
 * a warning. For root every answer maps ids that are not the host's root. Throws SUBID when `ranges` or `keep-id` is asked
 * for and cannot be had, USAGE for keep-id as root.
 */
export async function chooseMaps(config: Config, want: WantedUserns = 'auto'): Promise<ChosenMaps> {
  const mode = want === 'auto' ? config.userns.mode : want;
  if (ourUid() === 0) return { maps: await (await import('./idmap-root.ts')).rootMaps(config, mode) };
  if (mode === 'single') return { maps: singleMaps() };
  const ranges = await findRanges();
  if (!('problem' in ranges)) return { maps: mode === 'keep-id' ? keepIdMaps(ranges) : rangeMaps(ranges) };
  if (mode === 'auto') return { maps: singleMaps(), warning: warningOf(ranges), check: ranges.check };
  throw new TsboxError('SUBID', `the user namespace mode ${mode} cannot be had: ${ranges.problem}`, {
    hint: ranges.hint,
    check: ranges.check,
  });
}

/** 0 → you and nothing else: works wherever user namespaces do. */
export function singleMaps(uid = ourUid(), gid = ourGid()): UsernsMaps {
  return { mode: 'single', uid: singleMap(uid), gid: singleMap(gid), denySetgroups: true };
}

type Found = Exclude<Ranges, { problem: string }>;

const rangeMaps = ({ uid, gid, uidMapper, gidMapper }: Found): UsernsMaps => ({
  mode: 'ranges',
  uid: rangesMap(ourUid(), uid),
  gid: rangesMap(ourGid(), gid),
  uidMapper,
  gidMapper,
  denySetgroups: false,
});

const keepIdMaps = ({ uid, gid, uidMapper, gidMapper }: Found): UsernsMaps => ({
  mode: 'keep-id',
  uid: keepIdMap(ourUid(), uid),
  gid: keepIdMap(ourGid(), gid),
  uidMapper,
  gidMapper,
  denySetgroups: false,
});

async function findRanges(): Promise<Ranges> {
  const name = ourName();
  const found = await subidsOf({ uid: ourUid(), ...(name !== undefined && { name }) });
  const [uid, gid] = [joinRanges(found.uid), joinRanges(found.gid)];
  const problem = subidProblem(uid, gid, name ?? String(ourUid()));
  if (problem) return problem;
  const facts = mapperFacts();
  const [uidMapper, gidMapper] = await Promise.all([
    findMapper('newuidmap', facts),
    findMapper('newgidmap', facts),
  ]);
  if ('problem' in uidMapper) return uidMapper;
  if ('problem' in gidMapper) return gidMapper;
  return { uid, gid, uidMapper: uidMapper.path, gidMapper: gidMapper.path };
}

function subidProblem(uid: IdRange[], gid: IdRange[], who: string): Problem | undefined {
  if (uid.length === 0 || gid.length === 0) {
    const file = uid.length === 0 ? 'subuid' : 'subgid';
    const hint = `ask the administrator for: ${subidAdvice(who)}`;
    return { problem: `${who} has no subordinate ids in /etc/${file}`, hint, check: 'subid-missing' };
  }
  const wrong = rangeProblem(uid, ourUid());
  if (wrong)
    return {
      problem: `/etc/subuid: ${wrong}`,
      hint: `ask the administrator to correct the lines of ${who} there`,
      check: 'subid-invalid',
    };
  const wrongGid = rangeProblem(gid, ourGid());
  return wrongGid
    ? {
        problem: `/etc/subgid: ${wrongGid}`,
        hint: `ask the administrator to correct the lines of ${who} there`,
        check: 'subid-invalid',
      }
    : undefined;
}

const warningOf = (why: Problem): string =>
  `${why.problem}: only one user exists inside (single mode); ${why.hint}; why: tsbox doctor ${why.check}`;

/**
 * How fuse-overlayfs must show the files of layers that were unpacked under `disk` in a namespace that has `shown`, for
 * its options uidmapping and gidmapping (`FOUND:SHOWN:COUNT:…`).
 */
export function keepIdMapping(disk: UsernsMaps, shown: UsernsMaps): { uid: string; gid: string } {
  const text = (a: readonly IdMapLine[], b: readonly IdMapLine[]): string =>
    translate(a, b)
      .map(l => `${l.inside}:${l.outside}:${l.count}`)
      .join(':');
  return { uid: text(disk.uid, shown.uid), gid: text(disk.gid, shown.gid) };
}
