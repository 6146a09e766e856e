import { checkOf as checkNamed, type HostCheck, messageOf, TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import type { Op, Service } from '../plan/ops.ts';
import { enter } from '../runtime/enter.ts';
import type { Engine } from './context.ts';
import type { Answer } from './doctor-answer.ts';
import { FINDINGS } from './doctor-codes.ts';
import { type MachineFacts, machineFacts } from './doctor-facts.ts';
import { judgeError } from './doctor-judge.ts';
import { adminLines, REMEDIES } from './doctor-remedies.ts';
import type { DoctorCheck } from './types.ts';

/** What the steps hand on to one another. */
export interface Doctor {
  readonly engine: Engine;
  /** Set by `userns`: the maps that were proven to work. */
  maps: UsernsMaps | undefined;
  /** Read when the first remedy is wanted. */
  facts(): MachineFacts;
}

export interface Step {
  readonly id: string;
  readonly title: string;
  /** Ids of steps without which this one has no meaning. */
  readonly needs?: readonly string[];
  /** What can be said without them; undefined: nothing. */
  early?(doctor: Doctor): Promise<Answer | undefined>;
  /** What it is when an error does not say. */
  readonly otherwise: HostCheck;
  check(doctor: Doctor): Promise<Answer>;
}

export function patientOf(engine: Engine): Doctor {
  let facts: MachineFacts | undefined;
  return {
    engine,
    maps: undefined,
    facts() {
      facts ??= machineFacts(engine);
      return facts;
    },
  };
}

export function checkOf(step: Step, answer: Answer, patient: Doctor): DoctorCheck {
  const { id, title } = step;
  if (answer.status === 'ok') return { id, title, code: id, ...answer };
  const { admin, ...remedy } = REMEDIES[answer.code](patient.facts());
  const lines = admin && adminLines(admin, patient.facts());
  const meaning = FINDINGS[answer.code].sentence;
  return { id, title, ...answer, meaning, ...remedy, ...(lines && { admin: lines }) };
}

/** Of a step that threw. */
export function answerOf(error: unknown, step: Step): Answer {
  return judgeError(checkNamed(error), step.otherwise, messageOf(error));
}

export const skipped = ({ id, title }: Step, detail: string): DoctorCheck => ({
  id,
  title,
  status: 'skip',
  code: id,
  detail,
});

/** Walks a plan as init would, in namespaces with these maps; rejects with the operation that failed. */
export async function tryPlan(
  engine: Engine,
  maps: UsernsMaps,
  plan: readonly Op[],
  clone = 0,
  services: readonly Service[] = [],
): Promise<void> {
  const host = { helper: helperPath(), cwd: engine.paths.root, maps };
  const { child, result } = enter(host, plan, {
    name: 'doctor',
    stdio: ['ignore', 'ignore', 'pipe'],
    clone,
    services,
  });
  child.stderr?.resume();
  const status = await result;
  if (status !== 0) throw new TsboxError('LAUNCH', `the trial ended with status ${status}`);
}
