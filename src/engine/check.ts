import { messageOf, TsboxError } from '../errors.ts';
import { checkBlobs } from './check-blobs.ts';
import { checkContainers, checkNames } from './check-containers.ts';
import { checkImages, checkIndex } from './check-images.ts';
import { checkLayers } from './check-layers.ts';
import { checkLeftovers, checkUnused } from './check-leftovers.ts';
import type { Check, Problem } from './check-problem.ts';
import { checkVolumes } from './check-volumes.ts';
import type { Engine } from './context.ts';
import type { CheckOptions, Finding } from './disk-types.ts';

/** In this order: each step finds what the ones before have mended. */
const STEPS: readonly Check[] = [
  checkIndex,
  checkBlobs,
  checkImages,
  checkLayers,
  checkContainers,
  checkNames,
  checkVolumes,
  checkLeftovers,
  checkUnused,
];

/**
 * system check: compares what the store holds with what it says of itself, and mends it. What is damaged and can be had again
 * (layers, blobs) is removed, so that the next pull gets it; a layer whose blob is whole is unpacked again at once. Data of containers
 * and volumes is never removed. Safe beside other commands. Throws only when the store cannot be read at all.
 */
export async function check(
  engine: Engine,
  { full = false, repair = true }: CheckOptions = {},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const step of STEPS) {
    const problems = await step(engine, { full }).catch((error: unknown) => {
      // What was found before is in the way, and only looked at.
      if (isDamage(error) && findings.some(finding => !finding.repaired)) return [];
      throw error;
    });
    for (const problem of problems) findings.push(await treat(engine, problem, repair));
  }
  return findings;
}

const isDamage = (error: unknown): boolean =>
  error instanceof TsboxError && ['STORE_CORRUPT', 'MANIFEST'].includes(error.code);

async function treat(engine: Engine, { mend, ...problem }: Problem, repair: boolean): Promise<Finding> {
  if (!repair || !mend) return { ...problem, mendable: mend !== undefined, repaired: false };
  try {
    await mend();
    return { ...problem, mendable: true, repaired: true };
  } catch (error) {
    engine.reporter.debug('store', () => `${problem.what}: ${messageOf(error)}`);
    return {
      ...problem,
      remedy: `could not be mended: ${messageOf(error)}`,
      mendable: false,
      repaired: false,
    };
  }
}
