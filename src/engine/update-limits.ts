import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupFacts } from '../cgroup/detect.ts';
import type { LimitOutcome, Resources, Setting } from '../cgroup/driver.ts';
import { kernelRefusal, refuseAll } from '../cgroup/group.ts';
import { settings } from '../cgroup/limits.ts';
import { limitReason } from '../cgroup/refusal.ts';
import { selectCgroup } from '../cgroup/select.ts';
import { applySetting, readMaybe, wordsOf } from '../cgroup/tree.ts';
import { TsboxError } from '../errors.ts';
import type { LimitsRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import type { Found } from './find.ts';
import { type GroupFile, readGroupFile, writeGroupFile } from './group-file.ts';
import { blockDevice, parseResources } from './resources.ts';
import type { ResourceOptions } from './types.ts';

/** New limits of a container: at once where it runs, else from its next start on. Either all of them hold or none is changed. Throws USAGE, LIMIT, BAD_STATE. */
export function updateLimits(
  engine: Engine,
  { record, state }: Found,
  options: ResourceOptions,
): LimitsRecord {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== 0));
  const resources = parseResources(given, record.limits?.resources);
  const limits = { ...record.limits, resources };
  const wanted = settings(resources, path => blockDevice(path, 'the limit of'));
  const group = state.status === 'running' ? readGroupFile(engine, record.id) : undefined;
  if (state.status !== 'running' || group?.path === undefined) {
    checkMachine(engine, wanted, limits);
    return limits;
  }
  checkUsage(group.path, resources);
  writeGroupFile(engine, { ...group, limits: applyAll(group, group.path, wanted, limits) });
  return limits;
}

function checkMachine(engine: Engine, wanted: readonly Setting[], { bestEffort }: LimitsRecord): void {
  const facts = cgroupFacts();
  const selected = selectCgroup(facts, engine.config.cgroup.driver);
  const missing = wanted.filter(s => !selected.probe.controllers.includes(s.controller));
  for (const { flag, detail } of refuseAll(missing, selected, facts, bestEffort ?? false))
    engine.reporter.warn(`${flag} is refused: ${detail}`);
}

/** The kernel would begin to kill: memory.max below what is in use. */
function checkUsage(path: string, { memory = 0 }: Resources): void {
  const current = Number(readMaybe(join(path, 'memory.current')) ?? 0);
  if (memory === 0 || memory >= current) return;
  throw new TsboxError('BAD_STATE', `--memory ${memory} is less than the container uses now (${current})`, {
    hint: 'stop it first, or choose a higher limit',
    exitCode: 1,
  });
}

function applyAll(
  group: GroupFile,
  path: string,
  wanted: readonly Setting[],
  { bestEffort }: LimitsRecord,
): LimitOutcome[] {
  const before = wanted.map(({ file }) => [join(path, file), readMaybe(join(path, file))] as const);
  const controllers = wordsOf(join(path, 'cgroup.controllers'));
  const probe = { ok: true, controllers, delegation: path };
  try {
    return wanted.map((setting): LimitOutcome => {
      const { flag, file, value } = setting;
      const selected = { driver: selectOf(group), probe, refused: [] };
      const problem = controllers.includes(setting.controller)
        ? applySetting(path, setting)
        : limitReason(setting, selected);
      if (problem === undefined) return { flag, status: 'applied', detail: `${file} = ${value}` };
      if (!bestEffort) throw kernelRefusal(setting, problem);
      return { flag, status: 'refused', detail: problem };
    });
  } catch (error) {
    for (const [file, text] of before) restore(file, text);
    throw error;
  }
}

const selectOf = ({ driver }: GroupFile) => selectCgroup(cgroupFacts(), driver).driver;

function restore(file: string, text: string | undefined): void {
  try {
    if (text !== undefined) writeFileSync(file, text);
  } catch {
    // The error that brought us here says more.
  }
}
