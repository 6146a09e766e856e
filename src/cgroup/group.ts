import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import type { CgroupFacts, LimitOutcome, Place, PlaceRequest, Setting } from './driver.ts';
import { limitError, limitReason } from './refusal.ts';
import type { Selected } from './select.ts';
import { applySetting, makeGroup, removeGroup, wordsOf } from './tree.ts';

export interface GroupRequest extends Omit<PlaceRequest, 'facts'> {
  readonly settings: readonly Setting[];
  /** A limit that cannot be set is told, not thrown. */
  readonly bestEffort: boolean;
}

export interface Group extends Place {
  readonly controllers: readonly string[];
  readonly outcomes: readonly LimitOutcome[];
}

/** Makes a container's group with its limits set, before any process is in it. Throws TsboxError LIMIT, HOST; then nothing is left. */
export async function makeContainerGroup(
  selected: Selected,
  facts: CgroupFacts,
  request: GroupRequest,
): Promise<Group | undefined> {
  const place = await selected.driver.place({ ...request, facts });
  if (place === undefined) return undefined;
  makeGroup(place.path);
  try {
    const controllers = wordsOf(join(place.path, 'cgroup.controllers'));
    const now = { ...selected, probe: { ...selected.probe, controllers } };
    const wanted = request.settings.filter(s => !s.implied || controllers.includes(s.controller));
    const outcomes = wanted.map(each => apply(place.path, each, now, facts, request.bestEffort));
    return { ...place, controllers, outcomes };
  } catch (error) {
    removeGroup(place.path);
    throw error;
  }
}

function apply(
  path: string,
  setting: Setting,
  selected: Selected,
  facts: CgroupFacts,
  bestEffort: boolean,
): LimitOutcome {
  const { flag, controller, file, value } = setting;
  if (!selected.probe.controllers.includes(controller)) {
    if (!bestEffort) throw limitError(setting, selected, facts);
    return { flag, status: 'refused', detail: limitReason(setting, selected) };
  }
  const problem = applySetting(path, setting);
  if (problem === undefined) return { flag, status: 'applied', detail: `${file} = ${value}` };
  if (!bestEffort) throw kernelRefusal(setting, problem);
  return { flag, status: 'refused', detail: problem };
}

export const kernelRefusal = ({ flag }: Setting, problem: string): TsboxError =>
  new TsboxError('LIMIT', `${flag} cannot be enforced: ${problem}`, {
    hint: 'go on without it: --limits best-effort',
    check: 'cgroup-refused',
  });

/** Every limit refused: there is no group. */
export function refuseAll(
  settings: readonly Setting[],
  selected: Selected,
  facts: CgroupFacts,
  bestEffort: boolean,
): LimitOutcome[] {
  const wanted = settings.filter(s => !s.implied);
  if (wanted[0] && !bestEffort) throw limitError(wanted[0], selected, facts);
  return wanted.map(s => ({ flag: s.flag, status: 'refused', detail: limitReason(s, selected) }));
}
