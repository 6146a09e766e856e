import { delegationCommands } from '../cgroup/refusal.ts';
import { CONTROLLERS } from '../cgroup/tree.ts';
import type { BootTool, MachineFacts } from './doctor-facts.ts';
import { asRoot, quoted, type Remedies, type Remedy } from './doctor-remedy.ts';

export const CGROUP_REMEDIES: Remedies<
  | 'cgroup-v1'
  | 'cgroup-unmounted'
  | 'cgroup-manager'
  | 'cgroup-foreign'
  | 'cgroup-controllers'
  | 'cgroup-refused'
  | 'linger-off'
> = {
  'cgroup-v1': switchToV2,
  'cgroup-unmounted': facts =>
    asRoot('mount -t cgroup2 none /sys/fs/cgroup', ...subtree({ ...facts, cgroup: MOUNTED })),
  'cgroup-manager': ({ user }) => ({
    command: `loginctl enable-linger ${quoted(user)}`,
    hint: 'it starts your systemd now and at every boot',
  }),
  'cgroup-foreign': facts => asRoot(...subtree(facts)),
  'cgroup-controllers': delegateAll,
  'cgroup-refused': () => ({
    hint: 'start it from a login session or from the group that was delegated; or go on with --limits best-effort',
  }),
  'linger-off': ({ user }) => ({ command: `loginctl enable-linger ${quoted(user)}` }),
};

const MOUNTED = {
  layout: 'v2',
  mount: '/sys/fs/cgroup',
  own: undefined,
  controllers: [],
  delegated: false,
  userBus: undefined,
  systemd: false,
} as const;

const WORD = 'systemd.unified_cgroup_hierarchy=1';

const BOOT: Readonly<Record<BootTool, readonly string[]>> = {
  grubby: [`grubby --update-kernel=ALL --args=${WORD}`],
  'update-grub': [`sed -i 's/^GRUB_CMDLINE_LINUX="/&${WORD} /' /etc/default/grub`, 'update-grub'],
  'grub2-mkconfig': [
    `sed -i 's/^GRUB_CMDLINE_LINUX="/&${WORD} /' /etc/default/grub`,
    'grub2-mkconfig -o /boot/grub2/grub.cfg',
  ],
};

function switchToV2({ systemd, bootTool }: MachineFacts): Remedy {
  if (!systemd)
    return asRoot(
      '# the kernel is to be started with cgroup_no_v1=all, and cgroup2 mounted on /sys/fs/cgroup; a subtree is then delegated to the user',
    );
  const line = bootTool
    ? BOOT[bootTool]
    : [`# add ${WORD} to the command line of the kernel, in the settings of the boot loader`];
  return asRoot(...line, '# it holds from the next boot on', ...delegationCommands(CONTROLLERS));
}

/** What the driver stands on decides who can give more. */
function delegateAll({ driver, delegation = '/sys/fs/cgroup', lacking, uid }: MachineFacts): Remedy {
  if (driver === 'systemd')
    return asRoot(
      ...delegationCommands(CONTROLLERS),
      uid === 0
        ? '# the services of users have it after their next start'
        : '# it holds from the next login on',
    );
  const above = delegation.slice(0, delegation.lastIndexOf('/'));
  return asRoot(...lacking.map(name => `echo +${name} > ${quoted(`${above}/cgroup.subtree_control`)}`));
}

/** Delegation as the kernel's documentation has it: the directory and three of its files belong to the user. */
function subtree({ cgroup, user, uid, parent }: MachineFacts): string[] {
  const mount = cgroup.mount ?? '/sys/fs/cgroup';
  const group = `${mount}/tsbox-${uid}`;
  return [
    `mkdir -p ${group}`,
    `for name in ${CONTROLLERS.join(' ')}; do echo "+$name" > ${mount}/cgroup.subtree_control || true; done`,
    `chown ${quoted(user)} ${group} ${['procs', 'subtree_control', 'threads'].map(f => `${group}/cgroup.${f}`).join(' ')}`,
    `echo ${parent} > ${group}/cgroup.procs # the shell of ${user}, from which tsbox is started`,
  ];
}
