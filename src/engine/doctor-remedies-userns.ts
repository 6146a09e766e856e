import { coversHelper, PROFILE_FILE, profileCommands } from './doctor-apparmor.ts';
import type { MachineFacts } from './doctor-facts.ts';
import { asRoot, type Remedies, type Remedy, sysctl } from './doctor-remedy.ts';

const OUTER =
  'tsbox runs in a container of somebody else, who starts that with --security-opt seccomp=unconfined --security-opt systempaths=unconfined --security-opt apparmor=unconfined';

export const USERNS_REMEDIES: Remedies<
  | 'userns-clone'
  | 'userns-limit'
  | 'userns-apparmor'
  | 'userns-kernel'
  | 'userns-seccomp'
  | 'userns-refused'
  | 'mount-refused'
  | 'namespaces-missing'
  | 'proc-masked'
  | 'pivot-refused'
  | 'seccomp-missing'
  | 'landlock-missing'
> = {
  'userns-clone': () => sysctl('kernel.unprivileged_userns_clone = 1'),
  'userns-limit': raiseLimit,
  'userns-apparmor': giveProfile,
  'userns-kernel': () => ({ hint: 'a kernel with CONFIG_USER_NS is needed, as every distribution has' }),
  'userns-seccomp': () => ({ hint: OUTER }),
  'userns-refused': () => ({ hint: `in a chroot no user namespace can be made; or ${OUTER}` }),
  'mount-refused': () => ({ hint: `a security module may refuse it; or ${OUTER}` }),
  'namespaces-missing': () => ({
    hint: 'the kernel is built without them, or their number is limited: sysctl user',
  }),
  'proc-masked': () => ({ hint: OUTER }),
  'pivot-refused': () => ({ hint: 'start tsbox outside of the chroot, and not on an initramfs' }),
  'seccomp-missing': () => ({
    hint: 'a kernel with CONFIG_SECCOMP_FILTER is needed, or without a filter: --security-opt seccomp=unconfined',
  }),
  'landlock-missing': () => ({
    hint: 'nothing has to be done without --strict; Linux 5.19 or later with landlock in the boot option lsm= has it',
  }),
};

/** As many as a kernel on a small machine allows by itself. */
const USUAL_LIMIT = 15_000;

function raiseLimit({ maxNamespaces = 0 }: MachineFacts): Remedy {
  return sysctl(`user.max_user_namespaces = ${Math.max(USUAL_LIMIT, 2 * maxNamespaces)}`);
}

/** Where a profile for this very path is there already, it has only not been loaded. */
function giveProfile({ helper, profile }: MachineFacts): Remedy {
  if (helper === undefined)
    return { hint: 'run ./install.sh again: the helper that gets the profile is missing' };
  if (profile !== undefined && coversHelper(profile, helper))
    return asRoot(`apparmor_parser -r ${PROFILE_FILE}`);
  return asRoot(`# whoever may write to ${helper} may then use user namespaces`, ...profileCommands(helper));
}
