import { accessSync, constants, existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { TsboxError } from '../errors.ts';
import { layoutReason } from './detect.ts';
import type { CgroupDriver, CgroupFacts, PlaceRequest } from './driver.ts';
import { enableControllers, makeGroup, moveProcesses, upWhile, wordsOf } from './tree.ts';

/** Where processes go that stand in the way: a group that has processes cannot give controllers to its children. */
export const LEAF = 'tsbox-leaf';

/**
 * A subtree that was delegated to this user and that we stand in: what Slurm, Kubernetes, a CI runner or `Delegate=yes` gives.
 * Its owner is the one thing that tells: we may make directories, move processes, and enable controllers.
 */
export const cgroupfs: CgroupDriver = {
  name: 'cgroupfs',
  waits: false,

  probe(facts) {
    const chain = delegated(facts);
    const top = chain.at(-1);
    if (top !== undefined)
      return { ok: true, controllers: wordsOf(join(top, 'cgroup.controllers')), delegation: top };
    if (facts.layout !== 'v2') return no(layoutReason(facts.layout));
    return no(`${facts.own ?? 'the control group of this process'} belongs to somebody else`);
  },

  async place({ facts, containerId, parent }) {
    const chain = delegated(facts);
    const base = enabledBase(chain);
    if (base === undefined)
      throw new TsboxError('HOST', 'no control group is delegated to this user', {
        check: 'cgroup-foreign',
      });
    const above = parent === undefined ? base : below(base, parent);
    if (above !== base) {
      makeGroup(above);
      for (let at = base; at !== above; at = nextBelow(at, above)) enableControllers(at);
      enableControllers(above);
    }
    // One of each start: of several at once only one gets the container's lock, and which is not known yet.
    return { path: join(above, `tsbox-${containerId}-${process.hrtime.bigint().toString(36)}`) };
  },

  async admit({ path }) {
    if (mayUse(join(path, '..'))) return;
    throw new TsboxError('HOST', `${path} cannot be joined from here: it belongs to somebody else`, {
      check: 'cgroup-foreign',
    });
  },
};

/** Our group and those above it which are the user's, the nearest first. */
function delegated(facts: CgroupFacts): readonly string[] {
  const { own, mount, layout } = facts;
  if (own === undefined || mount === undefined || layout !== 'v2') return [];
  const chain = known.get(facts) ?? upWhile(own, mount, mayUse);
  known.set(facts, chain);
  return chain;
}

/** `probe` and `place` ask the same. */
const known = new WeakMap<CgroupFacts, readonly string[]>();

/** The nearest group that has no processes of its own; where all have, ours, whose processes move to a leaf. */
function enabledBase(chain: readonly string[]): string | undefined {
  const [own] = chain;
  if (own === undefined) return undefined;
  const free = chain.find(path => isRoot(path) || wordsOf(join(path, 'cgroup.procs')).length === 0);
  if (free === undefined) {
    makeGroup(join(own, LEAF));
    moveProcesses(own, join(own, LEAF));
  }
  const base = free ?? own;
  // From the top down: a group can enable what the one above has enabled for it.
  for (const path of [...chain.slice(chain.indexOf(base))].reverse()) enableControllers(path);
  return base;
}

/** The root of the whole tree may have processes and give controllers; it alone has no type. */
const isRoot = (path: string): boolean => !existsSync(join(path, 'cgroup.type'));

function below(base: string, parent: PlaceRequest['parent'] & string): string {
  const path = normalize(join(base, parent));
  if (path === base || path.startsWith(`${base}/`)) return path;
  throw new TsboxError('USAGE', `--cgroup-parent ${parent} leads out of ${base}`, {
    hint: `it is a path below ${base}, which is delegated to you`,
  });
}

/** One step from `at` towards `target`, which is below it. */
const nextBelow = (at: string, target: string): string =>
  join(at, target.slice(at.length + 1).split('/')[0] ?? '');

/** Delegation(cgroup v2): these three belong to the user. */
function mayUse(path: string): boolean {
  try {
    for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control'])
      accessSync(join(path, file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const no = (reason: string) => ({ ok: false, controllers: [], reason });
