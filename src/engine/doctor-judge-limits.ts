import type { CgroupFacts } from '../cgroup/driver.ts';
import { findingOf } from '../cgroup/refusal.ts';
import type { Selected } from '../cgroup/select.ts';
import { CONTROLLERS } from '../cgroup/tree.ts';
import { type Answer, ok, warn } from './doctor-answer.ts';

/** What people set limits with; the others are rarely delegated. */
const USUAL = ['cpu', 'memory', 'pids'];

/** Which driver, which controllers, and why not the others. Pure. */
export function judgeCgroup(facts: CgroupFacts, selected: Selected): Answer {
  const { driver, probe, refused } = selected;
  if (driver.name === 'none') return warn(findingOf(selected, facts), `no limits: ${reasons(refused)}`);
  const missing = CONTROLLERS.filter(name => !probe.controllers.includes(name));
  const text = [
    `${driver.name} at ${probe.delegation}, controllers: ${probe.controllers.join(' ') || 'none'}`,
    ...(missing.length > 0 ? [`not delegated: ${missing.join(' ')}`] : []),
    ...refused.map(({ name, reason }) => `${name}: ${reason}`),
  ].join('; ');
  const usual = USUAL.every(name => probe.controllers.includes(name));
  // Who handed over a subtree chose its controllers; what systemd's user manager lacks is a setting that nobody chose.
  const enough = missing.length === 0 || (usual && driver.name === 'cgroupfs');
  return enough ? ok(text) : warn('cgroup-controllers', text);
}

/** Where both say the same, once. */
function reasons(refused: Selected['refused']): string {
  const all = new Set(refused.map(each => each.reason));
  return all.size === 1
    ? [...all].join()
    : refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}

/** `ends`: systemd ends the processes of a user with the last session. */
export function judgeLinger({ ends, lingers }: { ends: boolean; lingers: boolean }): Answer {
  if (!ends) return ok('containers go on running');
  return lingers
    ? ok('containers go on running (lingering is on)')
    : warn('linger-off', 'systemd may end detached containers with your last session');
}
