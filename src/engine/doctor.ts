import type { Engine } from './context.ts';
import { type Answer, checkOf, type Doctor, type Step, skipped } from './doctor-check.ts';
import { LIMIT_STEPS } from './doctor-limits.ts';
import { MACHINE_STEPS } from './doctor-machine.ts';
import { NAMESPACE_STEPS } from './doctor-namespaces.ts';
import { NETWORK_STEPS } from './doctor-network.ts';
import { STORAGE_STEPS } from './doctor-storage.ts';
import type { DoctorCheck } from './types.ts';

/** In the order in which `run` needs them, so that the first failure is the one to mend. */
const STEPS: readonly Step[] = [
  ...MACHINE_STEPS,
  ...NAMESPACE_STEPS,
  ...STORAGE_STEPS,
  ...NETWORK_STEPS,
  ...LIMIT_STEPS,
];

/**
 * Walks the real path of `run` step by step: each namespace is made, each mount is mounted. Never throws; a step whose ground
 * is missing is skipped and names what it waits for.
 */
export async function doctor(engine: Engine): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  const patient: Doctor = { engine, maps: undefined };
  for (const step of STEPS) checks.push(await perform(step, patient, checks));
  return checks;
}

async function perform(step: Step, patient: Doctor, before: readonly DoctorCheck[]): Promise<DoctorCheck> {
  const failed = (step.needs ?? []).find(id => {
    const status = before.find(check => check.id === id)?.status;
    return status === 'fail' || status === 'skip';
  });
  if (failed !== undefined) return skipped(step, `waits for ${failed}`);
  const answer: Answer = await step.check(patient).catch(error => ({ status: 'fail', error }));
  return checkOf(step, answer);
}
