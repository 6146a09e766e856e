import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listContainerIds } from '../store/containers.ts';
import { identityAlive } from '../store/containers-owner.ts';
import { listTemporary, takeGarbage } from '../store/workdir.ts';
import type { Problem } from './check-problem.ts';
import { collect } from './collect.ts';
import { oldestAdding } from './collect-adding.ts';
import { garbageOf } from './collect-garbage.ts';
import type { Engine } from './context.ts';
import { sweep } from './sweep.ts';

/** What killed commands have left: work that nobody does any more, drafts, sockets of containers that are gone. */
export async function checkLeftovers(engine: Engine): Promise<Problem[]> {
  const places = await Promise.all([abandonedWork(engine), abandonedDrafts(engine), orphanedSockets(engine)]);
  return places.flat();
}

async function abandonedWork(engine: Engine): Promise<Problem[]> {
  const { tmp } = engine.paths;
  const entries = await listTemporary(tmp);
  const isLeft = await Promise.all(entries.map(entry => isAbandoned(tmp, entry)));
  return entries.filter((_, i) => isLeft[i]).map(entry => leftover(engine, join('tmp', entry)));
}

async function isAbandoned(tmp: string, entry: string): Promise<boolean> {
  const [, owner] = /^(?:gone|held)-[^.]+\.(.+)$/.exec(entry) ?? [];
  if (owner !== undefined) return !identityAlive(owner);
  const garbage = await takeGarbage(join(tmp, entry));
  await garbage?.release();
  return garbage !== undefined;
}

async function abandonedDrafts(engine: Engine): Promise<Problem[]> {
  const parents = ['containers', 'containers/.names', 'volumes'];
  const lists = await Promise.all(
    parents.map(async parent => {
      const entries = await readdir(join(engine.paths.root, parent)).catch(() => []);
      return entries.filter(isDeadDraft).map(entry => leftover(engine, join(parent, entry)));
    }),
  );
  return lists.flat();
}

function isDeadDraft(entry: string): boolean {
  const [, identity] = /^\.new-[^.]+\.(.+)$/.exec(entry) ?? [];
  return identity !== undefined && !identityAlive(identity);
}

const leftover = (engine: Engine, what: string): Problem => ({
  area: 'leftover',
  what,
  problem: 'was left by a command that was killed',
  remedy: 'removed',
  mend: () => sweep(engine),
});

async function orphanedSockets({ paths }: Engine): Promise<Problem[]> {
  const ids = new Set(listContainerIds(paths).map(id => id.slice(0, 16)));
  const entries = await readdir(paths.runtime).catch(() => []);
  return entries
    .filter(entry => /^[0-9a-f]{16}$/.test(entry) && !ids.has(entry))
    .map(entry => ({
      area: 'leftover',
      what: join(paths.runtime, entry),
      problem: 'belongs to no container',
      remedy: 'removed',
      mend: () => rm(join(paths.runtime, entry), { recursive: true, force: true }),
    }));
}

/** Layers and blobs that nobody needs. */
export async function checkUnused(engine: Engine): Promise<Problem[]> {
  const { garbage } = await garbageOf(engine, await oldestAdding(engine.paths.tmp));
  return garbage.map(({ kind, digest }) => ({
    area: 'leftover',
    what: `${kind} ${digest}`,
    problem: 'is needed by no image and no container',
    remedy: 'removed',
    mend: () => collect(engine),
  }));
}
