import { join } from 'node:path';
import { digestHex } from '../oci/digest.ts';
import { ioError } from '../store/atomic.ts';
import { identityAlive, ownIdentity } from '../store/containers-owner.ts';
import { listTemporary } from '../store/workdir.ts';
import { readFile, rm, writeFile } from '../util/files.ts';

/**
 * `tmp/held-DIGEST.MAKER`: a layer of a snapshot, which a handle in the maker's process is enough to keep; in it the layers below, which an image
 * that was removed may have had. A name and no flock: a process may hold thousands of them.
 */
const HELD = /^held-([0-9a-f]{64})\.(.+)$/;

export interface HeldLayer {
  /** In `tmp/`. */
  readonly entry: string;
  readonly diffId: string;
  readonly alive: boolean;
}

export const isHeldMark = (entry: string): boolean => HELD.test(entry);

/** Marks a layer that is about to be made; returns how to take the mark away, when the layer is gone. */
export async function markHeld(
  tmp: string,
  diffId: string,
  below: readonly string[],
): Promise<() => Promise<void>> {
  const mark = join(tmp, `held-${digestHex(diffId)}.${ownIdentity()}`);
  await writeFile(mark, below.join('\n'), { mode: 0o600 }).catch((error: unknown) => {
    throw ioError(error, `cannot make ${mark}`);
  });
  return () => rm(mark, { force: true });
}

/** Diff ids. */
export async function heldLayers(tmp: string): Promise<string[]> {
  const alive = (await listHeld(tmp)).filter(held => held.alive);
  const below = await Promise.all(
    alive.map(({ entry }) => readFile(join(tmp, entry), 'utf8').catch(() => '')),
  );
  return [...alive.map(held => held.diffId), ...below.flatMap(text => text.split('\n'))];
}

export async function listHeld(tmp: string): Promise<HeldLayer[]> {
  const found = (await listTemporary(tmp)).flatMap(entry => {
    const [, hex, maker] = HELD.exec(entry) ?? [];
    return hex === undefined || maker === undefined ? [] : [{ entry, diffId: `sha256:${hex}`, maker }];
  });
  const alive = new Set([...new Set(found.map(each => each.maker))].filter(identityAlive));
  return found.map(({ entry, diffId, maker }) => ({ entry, diffId, alive: alive.has(maker) }));
}
