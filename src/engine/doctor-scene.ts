import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { singleMaps } from '../host/idmap.ts';
import { giveToStore } from '../host/owner.ts';
import { MS } from '../plan/flags.ts';
import { type Op, ops } from '../plan/ops.ts';
import { type Doctor, tryPlan } from './doctor-check.ts';

/** Walks a plan from inside a fresh directory of the store's tmp, which has an empty directory `m`. */
export async function inScene(doctor: Doctor, plan: readonly Op[], clone = 0): Promise<void> {
  const { root, tmp } = doctor.engine.paths;
  const path = mkdtempSync(join(tmp, 'doctor-'));
  try {
    mkdirSync(join(path, 'm'));
    giveToStore(root, path);
    giveToStore(root, join(path, 'm'));
    const there = ops.chdir(`tmp/${basename(path)}`, 'the scene');
    await tryPlan(doctor.engine, doctor.maps ?? singleMaps(), [there, ...plan], clone);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** The steps of a container's init up to its own /proc. */
export const PROC_PLAN: readonly Op[] = [
  ops.private('nothing leaves this namespace'),
  ops.bindroot('m', 'a root file system'),
  ops.mount(
    { type: 'proc', target: '/proc', flags: MS.NOSUID | MS.NODEV | MS.NOEXEC, how: 'c' },
    'the processes of this namespace',
  ),
];

export const PIVOT_PLAN: readonly Op[] = [
  ops.private('nothing leaves this namespace'),
  ops.bindroot('m', 'a root file system'),
  ops.pivot('it becomes /'),
];
