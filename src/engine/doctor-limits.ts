import { cgroupFacts } from '../cgroup/detect.ts';
import type { CgroupFacts } from '../cgroup/driver.ts';
import { delegationCommands } from '../cgroup/refusal.ts';
import { selectCgroup } from '../cgroup/select.ts';
import { CONTROLLERS } from '../cgroup/tree.ts';
import { lingers, sessionsEnd } from '../host/linger.ts';
import { ourName } from '../host/subid.ts';
import { type Answer, type Doctor, ok, type Step, warn } from './doctor-check.ts';

/** What is there for limits, and for containers that outlive a login. */
export const LIMIT_STEPS: readonly Step[] = [
  { id: 'cgroup', title: 'Control groups', check: checkCgroup },
  { id: 'linger', title: 'After logging out', check: checkLinger },
];

const PAGE = 'docs/host-setup.md, Control groups';
/** What people set limits with; the others are rarely delegated. */
const USUAL = ['cpu', 'memory', 'pids'];

/** Which driver, which controllers, why not the others, and what the administrator types. */
async function checkCgroup({ engine }: Doctor): Promise<Answer> {
  const facts = cgroupFacts();
  const { driver, probe, refused } = selectCgroup(facts, engine.config.cgroup.driver);
  const others = refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const why = others === '' ? '' : `; ${others}`;
  if (driver.name === 'none') return warn(`no limits: ${oneReason(refused)}`, remedyOf(facts));
  const missing = CONTROLLERS.filter(name => !probe.controllers.includes(name));
  const text = `${driver.name} at ${probe.delegation}, controllers: ${probe.controllers.join(' ') || 'none'}`;
  const lacks = missing.length > 0 ? `; not delegated: ${missing.join(' ')}` : '';
  const usual = USUAL.every(name => probe.controllers.includes(name));
  if (usual && missing.length === 0) return ok(text + why);
  if (driver.name === 'systemd')
    return warn(text + lacks + why, delegationCommands(CONTROLLERS).join(' && '));
  return usual ? ok(text + lacks + why) : warn(text + lacks + why, PAGE);
}

/** Where both say the same, once. */
function oneReason(refused: readonly { readonly name: string; readonly reason: string }[]): string {
  const reasons = new Set(refused.map(each => each.reason));
  if (reasons.size === 1) return [...reasons].join();
  return refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}

function remedyOf({ layout }: CgroupFacts): string {
  if (layout === 'v2')
    return `loginctl enable-linger ${ourName() ?? ''} starts the manager of this user; ${PAGE}`;
  return `as administrator: add systemd.unified_cgroup_hierarchy=1 to the kernel's command line (GRUB_CMDLINE_LINUX in /etc/default/grub), update-grub, reboot; ${PAGE}`;
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
