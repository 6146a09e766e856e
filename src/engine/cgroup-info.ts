import { cgroupFacts } from '../cgroup/detect.ts';
import { selectCgroup } from '../cgroup/select.ts';
import type { Engine } from './context.ts';
import type { CgroupInfo } from './types.ts';

/** What the next container would get. Looks only. */
export function cgroupInfo(engine: Engine): CgroupInfo {
  const facts = cgroupFacts();
  const { driver, probe } = selectCgroup(facts, engine.config.cgroup.driver);
  const version = facts.layout === 'none' ? '' : facts.layout === 'v2' ? '2' : '1';
  return { driver: driver.name, version, path: probe.delegation ?? '', controllers: probe.controllers };
}
