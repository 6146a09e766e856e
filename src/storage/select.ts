import { TsboxError } from '../errors.ts';
import type { StorageDriver, StorageDriverName, StorageHost } from './driver.ts';
import { fuseOverlayfs } from './fuse-overlayfs.ts';
import { host as hostDriver } from './host.ts';
import { overlay } from './overlay.ts';
import { type Refusal, rememberDriver, rememberedDriver } from './probe-cache.ts';
import { vfs } from './vfs.ts';

const DRIVERS: Readonly<Record<StorageDriverName, StorageDriver>> = {
  overlay,
  'fuse-overlayfs': fuseOverlayfs,
  vfs,
  host: hostDriver,
};

/** What `auto` tries, in this order; each one is slower than the one before it. */
const AUTO: readonly StorageDriverName[] = ['overlay', 'fuse-overlayfs', 'vfs'];

/** The driver a container was made with, unproven. */
export function storageDriver(name: StorageDriverName): StorageDriver {
  return DRIVERS[name];
}

/**
 * The driver of that name, or for `auto` the first that proves itself with a real mount. What was found is kept in
 * `cacheDir` (private to the user) until the next boot, so that a run costs one small read. Throws STORAGE with every
 * driver's reason, USAGE for a name that is none.
 */
export async function selectStorage(
  name: StorageDriverName | 'auto',
  host: StorageHost,
  cacheDir: string,
): Promise<StorageDriver> {
  const candidates = name === 'auto' ? AUTO : [name];
  if (!candidates.every(candidate => Object.hasOwn(DRIVERS, candidate))) throw unknown(name);
  const remembered = rememberedDriver(cacheDir, host, name);
  if (remembered && candidates.includes(remembered)) return DRIVERS[remembered];
  const refusals: Refusal[] = [];
  for (const candidate of candidates) {
    const probe = await DRIVERS[candidate].probe(host);
    if (probe.ok) {
      rememberDriver(cacheDir, host, name, candidate, refusals);
      return DRIVERS[candidate];
    }
    refusals.push({ driver: candidate, probe });
  }
  throw refused(refusals);
}

function refused(refusals: readonly Refusal[]): TsboxError {
  const reasons = refusals.map(r => `${r.driver}: ${r.probe.reason ?? 'does not work here'}`).join('; ');
  const hints = refusals.map(r => r.probe.hint).filter(h => h !== undefined);
  const check = refusals.find(r => r.probe.check !== undefined)?.probe.check;
  const hint = hints.length === 0 ? undefined : [...new Set(hints)].join('; or ');
  const subject =
    refusals.length === 1 ? 'the storage driver cannot be used' : 'no storage driver works here';
  return new TsboxError('STORAGE', `${subject}: ${reasons}`, { ...(hint !== undefined && { hint }), check });
}

const unknown = (name: string): TsboxError =>
  new TsboxError('USAGE', `there is no storage driver ${JSON.stringify(name)}`, {
    hint: `known are auto, ${AUTO.join(', ')}`,
  });
