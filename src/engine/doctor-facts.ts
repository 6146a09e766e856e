import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { cgroupFacts } from '../cgroup/detect.ts';
import type { CgroupFacts } from '../cgroup/driver.ts';
import { selectCgroup } from '../cgroup/select.ts';
import { CONTROLLERS } from '../cgroup/tree.ts';
import { helperPath, locateProgram } from '../host/binaries.ts';
import type { IdRange } from '../host/id-ranges.ts';
import { mapperFacts, nosuidMount } from '../host/mapper.ts';
import { ourUid } from '../host/paths.ts';
import { usernsSysctls } from '../host/probe.ts';
import { idFiles, ourName, parseSubids, subidsFromDirectory } from '../host/subid.ts';
import { freeRange } from '../host/subid-free.ts';
import type { Engine } from './context.ts';
import { PROFILE_FILE } from './doctor-apparmor.ts';
import { type Family, familyOf } from './doctor-packages.ts';

/** What the remedies are made of: this machine and user as data, so that the text for any other can be made, too. */
export interface MachineFacts {
  readonly host: string;
  readonly uid: number;
  /** The name, or the number of a user whom the database does not know. */
  readonly user: string;
  /** In /etc/passwd, where usermod looks. */
  readonly local: boolean;
  readonly usermod: boolean;
  readonly family: Family | undefined;
  /** Real path of the helper; undefined: it is not there. */
  readonly helper: string | undefined;
  /** The profile that /etc/apparmor.d has for it. */
  readonly profile: string | undefined;
  readonly maxNamespaces: number | undefined;
  readonly subids: {
    /** Which of the files have no line of the user. */
    readonly uid: boolean;
    readonly gid: boolean;
    readonly free: IdRange | undefined;
    /** nsswitch.conf names another source than the files. */
    readonly directory: boolean;
  };
  /** The mappers that are there, and the mount that takes the setuid bit's effect away. */
  readonly mappers: readonly string[];
  readonly nosuid: string | undefined;
  readonly udev: boolean;
  readonly systemd: boolean;
  readonly bootTool: BootTool | undefined;
  readonly cgroup: CgroupFacts;
  /** The group that is delegated, and which controllers are not. */
  readonly delegation: string | undefined;
  readonly driver: string;
  readonly lacking: readonly string[];
  /** The process that started tsbox: a shell. */
  readonly parent: number;
}

/** What writes the kernel's command line. */
export type BootTool = 'grubby' | 'update-grub' | 'grub2-mkconfig';

const BOOT_TOOLS: readonly BootTool[] = ['grubby', 'update-grub', 'grub2-mkconfig'];

/** Reads only. */
export function machineFacts(engine: Engine): MachineFacts {
  const name = ourName();
  const uid = ourUid();
  return {
    host: hostname(),
    uid,
    user: name ?? String(uid),
    local: new RegExp(`^${(name ?? '').replace(/[^\w-]/g, '\\$&')}:`, 'm').test(read('/etc/passwd') ?? ''),
    usermod: locateProgram('usermod') !== undefined,
    family: familyOf(read('/etc/os-release') ?? read('/usr/lib/os-release') ?? ''),
    helper: helper(),
    profile: read(PROFILE_FILE),
    maxNamespaces: usernsSysctls().maxNamespaces,
    subids: subids({ uid, ...(name !== undefined && { name }) }),
    ...mappers(),
    udev: existsSync('/etc/udev') || existsSync('/run/udev'),
    bootTool: BOOT_TOOLS.find(tool => locateProgram(tool) !== undefined),
    ...cgroups(engine),
    parent: process.ppid,
  };
}

function helper(): string | undefined {
  try {
    return realpathSync(helperPath());
  } catch {
    return undefined;
  }
}

function subids(user: { name?: string; uid: number }): MachineFacts['subids'] {
  const files = idFiles();
  return {
    uid: parseSubids(files.subuid, user).length === 0,
    gid: parseSubids(files.subgid, user).length === 0,
    free: freeRange(files),
    directory: subidsFromDirectory(),
  };
}

function mappers(): Pick<MachineFacts, 'mappers' | 'nosuid'> {
  const paths = ['newuidmap', 'newgidmap'].map(locateProgram).filter(path => path !== undefined);
  const { mountinfo } = mapperFacts();
  return { mappers: paths, nosuid: paths.map(path => nosuidMount(mountinfo, path)).find(Boolean) };
}

function cgroups(engine: Engine) {
  const cgroup = cgroupFacts();
  const { driver, probe } = selectCgroup(cgroup, engine.config.cgroup.driver);
  return {
    cgroup,
    systemd: cgroup.systemd,
    driver: driver.name,
    delegation: probe.delegation,
    lacking: CONTROLLERS.filter(each => !probe.controllers.includes(each)),
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
