import { existsSync, readFileSync } from 'node:fs';
import type { HostCheck } from '../errors.ts';
import { EACCES, EINVAL, ENOSPC, EPERM } from '../util/errno.ts';
import { ourUid } from './paths.ts';
import { type UsernsSysctls, usernsSysctls } from './probe.ts';

/** "Too many users": the limit of nested user namespaces; Node has no name for it. */
const EUSERS = 87;

/** What may close user namespaces to this process. */
export interface UsernsFacts extends UsernsSysctls {
  /** Root of the machine is not held back by sysctls and AppArmor. */
  readonly root: boolean;
  /** The kernel was built with CONFIG_USER_NS. */
  readonly built: boolean;
  /** A seccomp filter of somebody else is on this process (an outer container, a sandbox). */
  readonly filtered: boolean;
}

/** How far it got: the clone, the maps of the new namespace, the first mount in it. */
export type UsernsStage = 'clone' | 'map' | 'mount';

/**
 * Which switch closes user namespaces, from what the kernel said where. Ubuntu's restriction (apparmor.d(5), "userns") is told from the sysctls by
 * the place: the namespace is made, and then its maps cannot be written or nothing can be mounted, since AppArmor has moved the
 * process into a profile without capabilities; 23.10 refused the clone itself.
 */
export function closedBy(stage: UsernsStage, errno: number, facts: UsernsFacts): HostCheck {
  const denied = errno === EPERM || errno === EACCES;
  const restricted = denied && !facts.root && facts.apparmorRestrict === 1;
  if (stage !== 'clone')
    return restricted ? 'userns-apparmor' : stage === 'map' ? 'userns-refused' : 'mount-refused';
  if (errno === ENOSPC || errno === EUSERS) return 'userns-limit';
  if (errno === EINVAL && !facts.built) return 'userns-kernel';
  if (denied && !facts.root && facts.unprivilegedClone === 0) return 'userns-clone';
  if (restricted) return 'userns-apparmor';
  return denied && facts.filtered ? 'userns-seccomp' : 'userns-refused';
}

export function usernsFacts(): UsernsFacts {
  return {
    ...usernsSysctls(),
    root: ourUid() === 0,
    built: existsSync('/proc/self/ns/user'),
    filtered: /^Seccomp:\s*2$/m.test(readFileSync('/proc/self/status', 'utf8')),
  };
}

/** One clause for each of these findings, and what opens them at once. */
export const CLOSED: Partial<Record<HostCheck, { readonly reason: string; readonly hint: string }>> = {
  'userns-clone': {
    reason: 'kernel.unprivileged_userns_clone is 0, which closes them to users',
    hint: 'as administrator: sysctl -w kernel.unprivileged_userns_clone=1',
  },
  'userns-limit': {
    reason: 'the limit user.max_user_namespaces is reached, or 0',
    hint: 'as administrator: sysctl -w user.max_user_namespaces=15000',
  },
  'userns-apparmor': {
    reason:
      'AppArmor lets a user namespace be made and then allows nothing in it (kernel.apparmor_restrict_unprivileged_userns is 1)',
    hint: "as administrator: give tsbox's helper an AppArmor profile",
  },
  'userns-kernel': {
    reason: 'this kernel is built without user namespaces',
    hint: 'boot a kernel that has them (CONFIG_USER_NS)',
  },
  'userns-seccomp': {
    reason: 'a filter of system calls on this process, as of an outer container, refuses it',
    hint: 'start the outer container with one that allows it (docker run --security-opt seccomp=unconfined)',
  },
};
