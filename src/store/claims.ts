import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { rmdir } from '../util/files.ts';
import { takeNamedWorkDir, type WorkDir } from './workdir.ts';

export interface ClaimOptions {
  /** Ends the wait with ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Called once when somebody else is at it. */
  readonly onWait?: () => void;
}

/** Milliseconds between two looks: a wait in flock(2) itself could not be called off. */
const LOOK_AGAIN = 100;

/**
 * Runs `work`, which brings one thing, while nobody else brings the same: the second of two waits for the first and then finds it
 * here. A claim (`tmp/claim-<what>`, a held work directory) is in nobody's way but theirs, and ends with its holder. `what`: a file
 * name, for example the hex digits of a digest. Throws ABORTED, IO, and what `work` throws.
 */
export async function withClaim<T>(
  tmpDir: string,
  what: string,
  options: ClaimOptions,
  work: () => Promise<T>,
): Promise<T> {
  const claim = await waitForClaim(join(tmpDir, `claim-${what}`), options);
  try {
    return await work();
  } finally {
    // Removed while it is held: who waits sees that it is gone and makes a new one.
    await rmdir(claim.path).catch(() => {});
    await claim.release();
  }
}

async function waitForClaim(path: string, { signal, onWait }: ClaimOptions): Promise<WorkDir> {
  for (let waited = false; ; waited = true) {
    const claim = await takeNamedWorkDir(path);
    if (claim) return claim;
    if (!waited) onWait?.();
    const { setTimeout: sleep } = await import('node:timers/promises');
    await sleep(LOOK_AGAIN, undefined, signal && { signal }).catch((cause: unknown) => {
      throw new TsboxError('ABORTED', 'cancelled', { cause });
    });
  }
}
