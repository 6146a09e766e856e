import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf } from '../errors.ts';
import { newId } from '../store/atomic.ts';
import { containerDirectory, readContainerRecord, readContainerState } from '../store/containers.ts';
import { sweepDrafts } from '../store/containers-drafts.ts';
import { type Fleeting, listFleeting, unmarkFleeting } from '../store/containers-fleeting.ts';
import { isHeldForRestart } from '../store/containers-hold.ts';
import { lockHolder } from '../store/containers-lock.ts';
import { identityAlive, ownIdentity } from '../store/containers-owner.ts';
import { containerExists } from '../store/containers-read.ts';
import { listTemporary, takeGarbage } from '../store/workdir.ts';
import { rename } from '../util/files.ts';
import { beginOf, isCollectorsMark } from './collect-adding.ts';
import { isHeldMark } from './collect-held.ts';
import type { Engine } from './context.ts';
import { listGroupFiles } from './group-file.ts';

/**
 * Removes what killed commands left behind; commands call it after their work. A few directory listings when there is
 * nothing to do. Never touches what a living process is working on, never throws: what fails is tried again next time.
 */
export async function sweep(engine: Engine): Promise<void> {
  const steps = [
    sweepFleeting,
    sweepTemporary,
    (e: Engine) => sweepDrafts(e.paths),
    sweepGroups,
    sweepNetworks,
  ];
  for (const step of steps) {
    await step(engine).catch((error: unknown) => {
      engine.reporter.debug('store', () => `sweep: ${messageOf(error)}`);
    });
  }
}

/** Most users have none: one listing. */
async function sweepNetworks(engine: Engine): Promise<void> {
  if (readdirSync(engine.paths.networks).length === 0) return;
  await (await import('./network-sweep.ts')).sweepNetworks(engine.paths);
}

/** `--rm` containers that have ended, and those of `run` that never began, when their maker is dead. */
async function sweepFleeting(engine: Engine): Promise<void> {
  const marks = await listFleeting(engine.paths);
  const makers = new Set([...new Set(marks.map(mark => mark.identity))].filter(identityAlive));
  for (const mark of marks) {
    if (makers.has(mark.identity)) continue;
    if (!containerExists(engine.paths, mark.id)) await unmarkFleeting(engine.paths, mark.id);
    else await sweepContainer(engine, mark);
  }
}

async function sweepContainer(engine: Engine, mark: Fleeting): Promise<void> {
  const state = readContainerState(engine.paths, mark.id);
  if (state.status === 'running' || state.pid > 0) return sweepMark(engine, mark);
  if (isHeldForRestart(engine.paths, mark.id)) return;
  // Costs a look at the locks of the whole machine: last.
  if (lockHolder(join(containerDirectory(engine.paths, mark.id), 'lock')) !== undefined) return;
  const record = await readContainerRecord(engine.paths, mark.id);
  const unwanted = state.status === 'created' ? mark.transient : record.autoRemove;
  if (unwanted) {
    await (await import('./remove.ts')).remove(engine, mark.id, { volumes: true });
  } else if (state.status !== 'created') {
    await unmarkFleeting(engine.paths, mark.id);
  }
}

/** What runs has been started: without `--rm` it stays from now on, and nobody need look at it again. */
async function sweepMark(engine: Engine, { id }: Fleeting): Promise<void> {
  const { autoRemove } = await readContainerRecord(engine.paths, id);
  if (!autoRemove) await unmarkFleeting(engine.paths, id);
}

/** Control groups; where no container has one this is a look at a directory that is not there. */
async function sweepGroups(engine: Engine): Promise<void> {
  if (listGroupFiles(engine).length > 0) await (await import('./group-sweep.ts')).sweepGroups(engine);
}

/** Work directories that nobody holds, and what removers that were killed had moved there. */
async function sweepTemporary(engine: Engine): Promise<void> {
  const entries = await listTemporary(engine.paths.tmp);
  const marks = entries.filter(isCollectorsMark);
  const held = entries.filter(isHeldMark);
  for (const entry of entries.filter(each => !marks.includes(each) && !held.includes(each))) {
    const [, remover] = /^gone-[^.]+\.(.+)$/.exec(entry) ?? [];
    if (remover === undefined) await sweepWorkDir(engine, entry);
    else if (!identityAlive(remover)) await sweepGone(engine, entry);
  }
  if (marks.length > 0) await sweepMarks(engine, marks);
  if (held.length > 0) await (await import('./sweep-held.ts')).sweepHeld(engine);
}

/** What commands had brought, or taken the names of, that were killed before they were done is garbage, too. Their marks go last: we may be killed as well. */
async function sweepMarks(engine: Engine, marks: readonly string[]): Promise<void> {
  const dead = [];
  for (const mark of marks) {
    if ((await beginOf(join(engine.paths.tmp, mark))) === undefined) dead.push(mark);
  }
  if (dead.length === 0) return;
  await (await import('./collect.ts')).collect(engine);
  for (const mark of dead) await sweepWorkDir(engine, mark);
}

async function sweepWorkDir(engine: Engine, entry: string): Promise<void> {
  const garbage = await takeGarbage(join(engine.paths.tmp, entry));
  if (!garbage) return;
  try {
    await removeTree(engine, entry);
  } finally {
    await garbage.release();
  }
}

/** Under a name with our identity first: of two sweepers one gets it. */
async function sweepGone(engine: Engine, entry: string): Promise<void> {
  const mine = `gone-${newId().slice(0, 16)}.${ownIdentity()}`;
  try {
    await rename(join(engine.paths.tmp, entry), join(engine.paths.tmp, mine));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  await removeTree(engine, mine);
}

async function removeTree(engine: Engine, entry: string): Promise<void> {
  await (await import('./remove-tree.ts')).removeTree(engine, join('tmp', entry));
}
