import { fileSystemOf } from '../host/filesystem.ts';
import { singleMaps } from '../host/idmap.ts';
import { deviceProblem } from '../host/probe.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import { storageDriver } from '../storage/select.ts';
import { type Answer, type Doctor, ok, type Step, warn } from './doctor-check.ts';
import { storageHost } from './machine.ts';

/** Where images and containers live, and how they become root file systems. */
export const STORAGE_STEPS: readonly Step[] = [
  { id: 'store', title: 'Store', check: checkStore },
  {
    id: 'overlay',
    title: 'Storage: overlay',
    needs: ['mount'],
    check: doctor => checkDriver(doctor, 'overlay'),
  },
  { id: 'fuse', title: '/dev/fuse', check: checkFuse },
  {
    id: 'fuse-overlayfs',
    title: 'Storage: fuse-overlayfs and host',
    needs: ['mount'],
    check: doctor => checkDriver(doctor, 'fuse-overlayfs'),
  },
];

const MEBI = 1024 * 1024;
/** Less than this and even a small image does not fit. */
const LITTLE = 512 * MEBI;

async function checkStore({ engine }: Doctor): Promise<Answer> {
  const { name, noUpper, available } = fileSystemOf(engine.paths.root);
  const detail = `${engine.paths.root} on ${name}, ${Math.floor(available / MEBI)} MiB free`;
  if (noUpper) {
    return warn(
      `${detail}: cannot hold the upper directory of an overlay`,
      'put the store on a local file system: TSBOX_ROOT=/local/you/tsbox, or root = "…" in config.toml',
    );
  }
  return available < LITTLE
    ? warn(detail, 'make room, or put the store elsewhere with TSBOX_ROOT')
    : ok(detail);
}

async function checkDriver(doctor: Doctor, name: StorageDriverName): Promise<Answer> {
  const host = storageHost(doctor.engine, doctor.maps ?? singleMaps());
  const { ok: works, reason = 'does not work here', hint } = await storageDriver(name).probe(host);
  if (works) return ok('works');
  // Neither alone stops a run: there is the other one, and vfs.
  return warn(reason, hint);
}

async function checkFuse(): Promise<Answer> {
  const problem = deviceProblem('/dev/fuse');
  if (problem === undefined) return ok('can be opened');
  if (problem === 'ENOENT') return warn('is missing', 'as administrator: modprobe fuse');
  return warn(`cannot be opened (${problem})`, 'as administrator: chmod 666 /dev/fuse');
}
