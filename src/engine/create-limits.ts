import { cgroupFacts } from '../cgroup/detect.ts';
import { settings } from '../cgroup/limits.ts';
import { limitError } from '../cgroup/refusal.ts';
import { selectCgroup } from '../cgroup/select.ts';
import { TsboxError } from '../errors.ts';
import type { LimitsRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { blockDevice, parseResources } from './resources.ts';
import type { CreateOptions } from './types.ts';

/** The flags of limits, checked against what this machine can enforce. Throws USAGE, LIMIT. */
export function limitFields(engine: Engine, options: CreateOptions): LimitsRecord | undefined {
  const resources = parseResources(options.resources ?? {});
  const bestEffort = wantsBestEffort(options.limits);
  if (Object.keys(resources).length === 0 && options.cgroupParent === undefined) return undefined;
  const limits = {
    resources,
    ...(bestEffort && { bestEffort }),
    ...(options.cgroupParent && { parent: options.cgroupParent }),
  };
  if (!bestEffort) checkEnforceable(engine, limits);
  return limits;
}

/** Before anything is made or pulled. What the kernel itself refuses is only seen at the start. */
function checkEnforceable(engine: Engine, { resources }: LimitsRecord): void {
  const facts = cgroupFacts();
  const selected = selectCgroup(facts, engine.config.cgroup.driver);
  for (const setting of settings(resources, path => blockDevice(path, 'the limit of'))) {
    if (!setting.implied && !selected.probe.controllers.includes(setting.controller))
      throw limitError(setting, selected, facts);
  }
}

function wantsBestEffort(text: string | undefined): true | undefined {
  if (text === undefined || text === 'strict') return undefined;
  if (text === 'best-effort') return true;
  throw new TsboxError('USAGE', `--limits ${JSON.stringify(text)} is not known`, {
    hint: 'strict (default), or best-effort: what cannot be enforced is approximated or left out, and said',
  });
}
