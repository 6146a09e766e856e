import { type HostCheck, TsboxError } from '../errors.ts';
import { layoutReason } from './detect.ts';
import type { CgroupFacts, Setting } from './driver.ts';
import type { Selected } from './select.ts';

/** The page with all of it. */
const PAGE = 'docs/host-setup.md, Control groups';

/** The one file that gives every user's manager all controllers. */
export const DROP_IN = '/etc/systemd/system/user@.service.d/delegate.conf';

/** What an administrator types so that users get these controllers. */
export function delegationCommands(controllers: readonly string[]): readonly string[] {
  return [
    `mkdir -p ${DROP_IN.slice(0, DROP_IN.lastIndexOf('/'))}`,
    `printf '[Service]\\nDelegate=${controllers.join(' ')}\\n' > ${DROP_IN}`,
    'systemctl daemon-reload',
  ];
}

/** Why a limit cannot be enforced: the controller, what is delegated now, and what changes that. */
export function limitReason({ controller }: Setting, { driver, probe, refused }: Selected): string {
  if (driver.name === 'none') {
    const reasons = [...new Set(refused.map(each => each.reason))];
    return `containers have no control group here: ${reasons.join('; ')}`;
  }
  const has = probe.controllers.join(' ') || 'none';
  return `the controller ${controller} is not delegated to ${probe.delegation} (${driver.name}; delegated: ${has})`;
}

export function limitError(setting: Setting, selected: Selected, facts: CgroupFacts): TsboxError {
  return new TsboxError('LIMIT', `${setting.flag} cannot be enforced: ${limitReason(setting, selected)}`, {
    hint: `${remedy(setting, selected, facts)}; or go on with --limits best-effort`,
    check: findingOf(selected, facts),
  });
}

/** Which finding of doctor says why not everything can be limited here. */
export function findingOf({ driver }: Selected, facts: CgroupFacts): HostCheck {
  if (driver.name !== 'none') return 'cgroup-controllers';
  if (facts.layout === 'none') return 'cgroup-unmounted';
  if (facts.layout !== 'v2') return 'cgroup-v1';
  return facts.systemd ? 'cgroup-manager' : 'cgroup-foreign';
}

/** What changes it, in one line. */
export function remedy(
  { controller }: Pick<Setting, 'controller'>,
  { driver }: Selected,
  facts: CgroupFacts,
): string {
  if (facts.layout !== 'v2')
    return `the administrator boots with systemd.unified_cgroup_hierarchy=1 (${PAGE}): ${layoutReason(facts.layout)}`.replace(
      /: .*$/,
      '',
    );
  if (driver.name === 'cgroupfs')
    return `whoever made that group enables it: echo +${controller} > cgroup.subtree_control of the group above (${PAGE})`;
  if (driver.name === 'systemd')
    return `the administrator writes Delegate=cpu cpuset io memory pids into ${DROP_IN} and you log in again (${PAGE})`;
  return `start your systemd manager (loginctl enable-linger), or have a control group delegated to you (${PAGE})`;
}
