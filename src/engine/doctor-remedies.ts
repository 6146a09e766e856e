import type { HostCheck } from '../errors.ts';
import { howToGetHelper } from '../host/binaries.ts';
import type { MachineFacts } from './doctor-facts.ts';
import { installLine } from './doctor-packages.ts';
import { CGROUP_REMEDIES } from './doctor-remedies-cgroup.ts';
import { DEVICE_REMEDIES } from './doctor-remedies-devices.ts';
import { IDS_REMEDIES } from './doctor-remedies-ids.ts';
import { USERNS_REMEDIES } from './doctor-remedies-userns.ts';
import { type AdminStep, install, type Remedies, type Remedy } from './doctor-remedy.ts';

const PROGRAMS: Remedies<
  | 'node-old'
  | 'kernel-old'
  | 'helper-missing'
  | 'helper-broken'
  | 'slirp4netns-missing'
  | 'slirp4netns-old'
  | 'pasta-missing'
  | 'uplink-failed'
  | 'filter-missing'
  | 'fuse-overlayfs-missing'
  | 'fuse-overlayfs-failed'
  | 'store-filesystem'
  | 'store-space'
  | 'overlay-kernel'
  | 'overlay-refused'
> = {
  'node-old': () => ({ hint: 'install Node.js 20.11 or later and run ./install.sh again' }),
  'kernel-old': () => ({ hint: 'Linux 4.18 or later is needed, 5.11 for the fastest storage' }),
  'helper-missing': () => ({ hint: howToGetHelper() }),
  'helper-broken': () => ({
    hint: 'run ./install.sh again; the directory of tsbox must not be mounted noexec, and TSBOX_HELPER must name this version',
  }),
  'slirp4netns-missing': () => ({
    ...install('slirp4netns'),
    hint: 'until then: --network none, host, or pasta',
  }),
  'slirp4netns-old': () => ({
    ...install('slirp4netns'),
    hint: 'until then: --network none, host, or pasta; or take the risk: --network slirp4netns:force=true',
  }),
  'pasta-missing': () => ({ hint: 'nothing has to be done where slirp4netns works; the package is passt' }),
  'uplink-failed': () => ({ hint: 'run with --network none or host; the detail is what the program said' }),
  'filter-missing': () => ({
    ...install('nft'),
    hint: 'until then: tsbox network create --internal',
  }),
  'fuse-overlayfs-missing': () => install('fuse-overlayfs'),
  'fuse-overlayfs-failed': () => ({ ...install('fuse-overlayfs'), hint: 'a newer fuse-overlayfs may work' }),
  'store-filesystem': () => ({
    hint: 'put the store on a local file system: export TSBOX_ROOT=/local/you/tsbox, or root = "…" in config.toml',
  }),
  'store-space': () => ({
    command: 'tsbox system prune',
    hint: 'or put the store elsewhere with TSBOX_ROOT',
  }),
  'overlay-kernel': () => install('fuse-overlayfs'),
  'overlay-refused': () => install('fuse-overlayfs'),
};

/** What helps against each finding, on the machine and for the user of these facts. */
export const REMEDIES: Readonly<Record<HostCheck, (facts: MachineFacts) => Remedy>> = {
  ...PROGRAMS,
  ...USERNS_REMEDIES,
  ...IDS_REMEDIES,
  ...DEVICE_REMEDIES,
  ...CGROUP_REMEDIES,
};

const SYSCTL_FILE = '/etc/sysctl.d/60-tsbox.conf';

/** Shell lines for an administrator; what goes together is one command, so that a package manager is started once. */
export function adminLines(steps: readonly AdminStep[], { family }: MachineFacts): string[] {
  const programs = steps.flatMap(step => step.programs ?? []);
  const sysctls = [...new Set(steps.flatMap(step => step.sysctls ?? []))];
  const commands = steps.flatMap(step => step.commands ?? []);
  return [
    ...(programs.length > 0 ? [installLine(family, programs)] : []),
    ...(sysctls.length > 0
      ? [
          `printf '%s\\n' ${sysctls.map(setting => `'${setting}'`).join(' ')} >> ${SYSCTL_FILE}`,
          `sysctl -p ${SYSCTL_FILE}`,
        ]
      : []),
    ...new Set(commands),
  ];
}
