import { TsboxError } from '../errors.ts';
import { suggest } from '../util/suggest.ts';
import type { Engine } from './context.ts';
import type { Answer } from './doctor-answer.ts';
import { answerOf, checkOf, type Doctor, patientOf, type Step, skipped } from './doctor-check.ts';
import { FINDINGS, isFinding } from './doctor-codes.ts';
import { LIMIT_STEPS } from './doctor-limits.ts';
import { MACHINE_STEPS } from './doctor-machine.ts';
import { NAMESPACE_STEPS } from './doctor-namespaces.ts';
import { NETWORK_STEPS } from './doctor-network.ts';
import { type AdminRequest, requestOf } from './doctor-request.ts';
import { STORAGE_STEPS } from './doctor-storage.ts';
import type { DoctorCheck } from './types.ts';

/** In the order in which `run` needs them, so that the first failure is the one to mend. */
export const STEPS: readonly Step[] = [
  ...MACHINE_STEPS,
  ...NAMESPACE_STEPS,
  ...STORAGE_STEPS,
  ...NETWORK_STEPS,
  ...LIMIT_STEPS,
];

/**
 * Walks the real path of `run` step by step: each namespace is made, each mount is mounted. A step whose ground is missing is skipped and
 * names what it waits for. `only`: ids of checks, or codes of findings, which stand for the checks that may find them. Throws USAGE for a
 * name that is neither.
 */
export async function doctor(engine: Engine, only: readonly string[] = []): Promise<DoctorCheck[]> {
  const wanted = new Set(only.flatMap(idsOf));
  const checks = await examine(patientOf(engine), wanted.size === 0 ? STEPS : withGround(wanted));
  return wanted.size === 0 ? checks : checks.filter(check => wanted.has(check.id));
}

/** What an administrator would have to do, as one text. */
export async function adminRequest(engine: Engine): Promise<AdminRequest> {
  const patient = patientOf(engine);
  const checks = await examine(patient, STEPS);
  return requestOf(checks, patient.facts());
}

async function examine(patient: Doctor, steps: readonly Step[]): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const step of steps) checks.push(await perform(step, patient, checks));
  return checks;
}

async function perform(step: Step, patient: Doctor, before: readonly DoctorCheck[]): Promise<DoctorCheck> {
  const answer = (await early(step, patient)) ?? (await inTurn(step, patient, before));
  return typeof answer === 'string' ? skipped(step, `waits for ${answer}`) : checkOf(step, answer, patient);
}

const early = async (step: Step, patient: Doctor): Promise<Answer | undefined> =>
  step.early?.(patient).catch(error => answerOf(error, step));

/** The id of the step that is missing, or the answer. */
async function inTurn(step: Step, patient: Doctor, before: readonly DoctorCheck[]): Promise<Answer | string> {
  const missing = (step.needs ?? []).find(id => {
    const status = before.find(check => check.id === id)?.status;
    return status === 'fail' || status === 'skip';
  });
  return missing ?? step.check(patient).catch(error => answerOf(error, step));
}

/** The steps and what they stand on, in order. */
function withGround(wanted: ReadonlySet<string>): Step[] {
  const all = new Set(wanted);
  for (const step of [...STEPS].reverse())
    if (all.has(step.id)) for (const id of step.needs ?? []) all.add(id);
  return STEPS.filter(step => all.has(step.id));
}

function idsOf(name: string): readonly string[] {
  if (STEPS.some(step => step.id === name)) return [name];
  if (isFinding(name)) return FINDINGS[name].checks;
  const known = [...STEPS.map(step => step.id), ...Object.keys(FINDINGS)];
  const near = suggest(name, known);
  throw new TsboxError('USAGE', `doctor has no check ${JSON.stringify(name)}`, {
    hint: near === undefined ? `checks: ${STEPS.map(step => step.id).join(', ')}` : `did you mean ${near}?`,
  });
}
