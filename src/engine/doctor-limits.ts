import { cgroupFacts } from '../cgroup/detect.ts';
import { selectCgroup } from '../cgroup/select.ts';
import { lingers, sessionsEnd } from '../host/linger.ts';
import { ourName } from '../host/subid.ts';
import type { Answer } from './doctor-answer.ts';
import type { Doctor, Step } from './doctor-check.ts';
import { judgeCgroup, judgeLinger } from './doctor-judge-limits.ts';

/** What is there for limits, and for containers that outlive a login. */
export const LIMIT_STEPS: readonly Step[] = [
  { id: 'cgroup', title: 'Control groups', otherwise: 'cgroup-refused', check: checkCgroup },
  { id: 'linger', title: 'After logging out', otherwise: 'linger-off', check: checkLinger },
];

async function checkCgroup({ engine }: Doctor): Promise<Answer> {
  const facts = cgroupFacts();
  return judgeCgroup(facts, selectCgroup(facts, engine.config.cgroup.driver));
}

async function checkLinger(): Promise<Answer> {
  return judgeLinger({ ends: sessionsEnd(), lingers: lingers(ourName()) });
}
