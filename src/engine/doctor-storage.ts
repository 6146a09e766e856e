import { locateProgram } from '../host/binaries.ts';
import { fileSystemOf } from '../host/filesystem.ts';
import { singleMaps } from '../host/idmap.ts';
import { deviceProblem } from '../host/probe.ts';
import { storageDriver } from '../storage/select.ts';
import { type Answer, warn } from './doctor-answer.ts';
import type { Doctor, Step } from './doctor-check.ts';
import { judgeDevice, judgeStorage, judgeStore } from './doctor-judge.ts';
import { storageHost } from './machine.ts';

/** Where images and containers live, and how they become root file systems. */
export const STORAGE_STEPS: readonly Step[] = [
  {
    id: 'store',
    title: 'Store',
    otherwise: 'store-space',
    check: async ({ engine: { paths } }) => judgeStore(paths.root, fileSystemOf(paths.root)),
  },
  {
    id: 'overlay',
    title: 'Storage: overlay',
    needs: ['mount'],
    otherwise: 'overlay-refused',
    check: doctor => checkDriver(doctor, 'overlay'),
  },
  {
    id: 'fuse',
    title: '/dev/fuse',
    otherwise: 'fuse-missing',
    check: async () => judgeDevice('fuse', deviceProblem('/dev/fuse')),
  },
  {
    id: 'fuse-overlayfs',
    title: 'Storage: fuse-overlayfs and host',
    needs: ['mount'],
    early: missingProgram,
    otherwise: 'fuse-overlayfs-failed',
    check: doctor => checkDriver(doctor, 'fuse-overlayfs'),
  },
];

async function checkDriver(doctor: Doctor, name: 'overlay' | 'fuse-overlayfs'): Promise<Answer> {
  const host = storageHost(doctor.engine, doctor.maps ?? singleMaps());
  return judgeStorage(name, await storageDriver(name).probe(host));
}

async function missingProgram(): Promise<Answer | undefined> {
  if (locateProgram('fuse-overlayfs') !== undefined) return undefined;
  return warn('fuse-overlayfs-missing', 'fuse-overlayfs is not installed');
}
