import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { mkdir, readdir, rename, rm, rmdir, stat, unlink, writeFile } from '../util/files.ts';
import { newId } from './atomic.ts';
import { identityAlive, ownIdentity } from './containers-owner.ts';
import { readContainerState } from './containers-state.ts';

/**
 * Who has an address. `networks/<name>/addresses/<address>/` is a directory with one entry, `CONTAINER.PROCESS`: the container,
 * and the process that took it for this start. As with names (names.ts), rename(2) puts a directory in place of an empty one
 * and refuses a full one: of any number of takers one wins, without a lock; a stale holder is taken out under its own name, which
 * no later holder has.
 */
export interface Holder {
  readonly address: string;
  readonly container: string;
  readonly entry: string;
}

/** A start that takes longer than this is over, whatever its process does now. */
const START_MS = 120_000;

/** True when it is ours now; false: somebody has it. */
export async function takeAddress(directory: string, address: string, container: string): Promise<boolean> {
  const place = join(directory, 'addresses');
  const draft = join(place, `.new-${newId().slice(0, 12)}.${ownIdentity()}`);
  await mkdir(draft, { mode: 0o700 });
  try {
    await writeFile(join(draft, ownEntry(container)), '', { mode: 0o600 });
    await rename(draft, join(place, address));
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

const ownEntry = (container: string): string => `${container}.${ownIdentity()}`;

/**
 * True when the container has this address since an earlier start, whose entry then becomes ours, or by one that another process is just at: of the
 * two starts one will come to nothing, and which is not known yet. The directory is never empty meanwhile, so nobody else can take it.
 */
export async function keepAddress(
  paths: Paths,
  directory: string,
  address: string,
  container: string,
): Promise<boolean> {
  const holder = await holderOf(directory, address);
  if (holder?.container !== container) return false;
  const own = ownEntry(container);
  if (holder.entry !== own && (await isHeld(paths, directory, holder))) return true;
  const place = join(directory, 'addresses', address);
  try {
    await writeFile(join(place, own), '', { mode: 0o600 });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false; // swept
    throw error;
  }
  if (holder.entry !== own) await unlink(join(place, holder.entry)).catch(absent);
  return true;
}

/** Addresses that have an entry, dead or alive. */
export async function takenAddresses(directory: string): Promise<Set<string>> {
  const names = await readdir(join(directory, 'addresses')).catch(absent);
  return new Set(names.filter(name => !name.startsWith('.')));
}

export async function holderOf(directory: string, address: string): Promise<Holder | undefined> {
  const [entry] = await readdir(join(directory, 'addresses', address)).catch(absent);
  const [, container] = /^([0-9a-f]{64})\./.exec(entry ?? '') ?? [];
  return entry === undefined || container === undefined ? undefined : { address, container, entry };
}

/** Gives an address back; one that somebody else has by now is left alone. */
export async function releaseAddress(directory: string, holder: Omit<Holder, 'container'>): Promise<void> {
  const place = join(directory, 'addresses', holder.address);
  await unlink(join(place, holder.entry)).catch(absent);
  await rmdir(place).catch(() => {});
}

/** Gives back what this process has taken for a container. */
export const releaseOwn = (directory: string, address: string, container: string): Promise<void> =>
  releaseAddress(directory, { address, entry: ownEntry(container) });

/** Gives back what a container has or had here, by this start or any other. */
export async function releaseOf(directory: string, address: string, container: string): Promise<void> {
  const holder = await holderOf(directory, address);
  if (holder?.container === container) await releaseAddress(directory, holder);
}

/** Does the container run, or is a process that lives just starting it? */
export async function isHeld(paths: Paths, directory: string, holder: Holder): Promise<boolean> {
  if (readContainerState(paths, holder.container).pid > 0) return true;
  if (!identityAlive(holder.entry.slice(holder.container.length + 1))) return false;
  const since = await stat(join(directory, 'addresses', holder.address, holder.entry)).catch(() => undefined);
  return since !== undefined && Date.now() - since.mtimeMs < START_MS;
}

/** Those who have addresses and are alive. The others' are given back. */
export async function sweepAddresses(paths: Paths, directory: string): Promise<Holder[]> {
  const living: Holder[] = [];
  for (const address of await takenAddresses(directory)) {
    const holder = await holderOf(directory, address);
    if (holder && (await isHeld(paths, directory, holder))) living.push(holder);
    else if (holder) await releaseAddress(directory, holder);
  }
  return living;
}

function absent(error: unknown): string[] {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
  throw error;
}
