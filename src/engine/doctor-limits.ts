import { cgroupFacts } from '../cgroup/detect.ts';
import { lingers, sessionsEnd } from '../host/linger.ts';
import { ourName } from '../host/subid.ts';
import { type Answer, ok, type Step, warn } from './doctor-check.ts';

/** What is there for limits, and for containers that outlive a login. */
export const LIMIT_STEPS: readonly Step[] = [
  { id: 'cgroup', title: 'Control groups', check: checkCgroup },
  { id: 'linger', title: 'After logging out', check: checkLinger },
];

const DELEGATION = 'docs/host-setup.md, Control groups';

async function checkCgroup(): Promise<Answer> {
  const { layout, own, controllers, delegated, userBus } = cgroupFacts();
  if (layout !== 'v2') {
    const what =
      layout === 'none'
        ? 'no cgroup file system is mounted'
        : `cgroups are ${layout}: limits need the unified v2`;
    return warn(`${what}; containers run without limits`, DELEGATION);
  }
  if (delegated) return ok(`cgroupfs at ${own}, controllers: ${controllers.join(' ') || 'none'}`);
  if (userBus !== undefined) return ok('the user’s systemd can give a scope');
  return warn(`${own ?? 'this cgroup'} belongs to somebody else; containers run without limits`, DELEGATION);
}

async function checkLinger(): Promise<Answer> {
  if (!sessionsEnd()) return ok('containers go on running');
  const name = ourName();
  if (lingers(name)) return ok('containers go on running (lingering is on)');
  return warn(
    'systemd may end detached containers with your last session',
    `loginctl enable-linger ${name ?? ''}`.trim(),
  );
}
