import { messageOf, TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import type { Op } from '../plan/ops.ts';
import { enter } from '../runtime/enter.ts';
import type { Engine } from './context.ts';
import type { DoctorCheck } from './types.ts';

/** What the steps hand on to one another. */
export interface Doctor {
  readonly engine: Engine;
  /** Set by `userns`: the maps that were proven to work. */
  maps: UsernsMaps | undefined;
}

export interface Step {
  readonly id: string;
  readonly title: string;
  /** Ids of steps without which this one has no meaning. */
  readonly needs?: readonly string[];
  check(doctor: Doctor): Promise<Answer>;
}

export type Answer =
  | { status: 'ok'; detail: string }
  | { status: 'warn' | 'fail'; detail: string; hint?: string }
  | { status: 'fail'; error: unknown };

export const ok = (detail: string): Answer => ({ status: 'ok', detail });
export const warn = (detail: string, hint?: string): Answer => ({
  status: 'warn',
  detail,
  ...(hint !== undefined && { hint }),
});
export const fail = (detail: string, hint?: string): Answer => ({
  status: 'fail',
  detail,
  ...(hint !== undefined && { hint }),
});

export function checkOf(step: Step, answer: Answer): DoctorCheck {
  const { id, title } = step;
  if (!('error' in answer)) return { id, title, ...answer };
  const hint = answer.error instanceof TsboxError ? answer.error.hint : undefined;
  return { id, title, status: 'fail', detail: messageOf(answer.error), ...(hint !== undefined && { hint }) };
}

export const skipped = ({ id, title }: Step, detail: string): DoctorCheck => ({
  id,
  title,
  status: 'skip',
  detail,
});

/** Walks a plan as init would, in namespaces with these maps; rejects with the operation that failed. */
export async function tryPlan(
  engine: Engine,
  maps: UsernsMaps,
  plan: readonly Op[],
  clone = 0,
): Promise<void> {
  const host = { helper: helperPath(), cwd: engine.paths.root, maps };
  const { child, result } = enter(host, plan, { name: 'doctor', stdio: ['ignore', 'ignore', 'pipe'], clone });
  child.stderr?.resume();
  const status = await result;
  if (status !== 0) throw new TsboxError('LAUNCH', `the trial ended with status ${status}`);
}
