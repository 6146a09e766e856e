/** Packages and how they are installed. Pure. */

export type Family = 'debian' | 'fedora' | 'suse' | 'arch' | 'alpine';

export type Program = 'newuidmap' | 'slirp4netns' | 'fuse-overlayfs' | 'nft';

const INSTALL: Readonly<Record<Family, string>> = {
  debian: 'apt-get install -y',
  fedora: 'dnf install -y',
  suse: 'zypper --non-interactive install',
  arch: 'pacman -S --needed --noconfirm',
  alpine: 'apk add',
};

const PACKAGES: Readonly<Record<Program, string | Readonly<Record<Family, string>>>> = {
  newuidmap: {
    debian: 'uidmap',
    fedora: 'shadow-utils',
    suse: 'shadow',
    arch: 'shadow',
    alpine: 'shadow-subids shadow-uidmap',
  },
  slirp4netns: 'slirp4netns',
  'fuse-overlayfs': 'fuse-overlayfs',
  nft: 'nftables',
};

/** From os-release(5): ID, else the first that is known of ID_LIKE. */
export function familyOf(osRelease: string): Family | undefined {
  const value = (key: string): string =>
    new RegExp(`^${key}=["']?([^"'\\n]*)`, 'm').exec(osRelease)?.[1]?.toLowerCase() ?? '';
  for (const word of [value('ID'), ...value('ID_LIKE').split(' ')]) {
    const family = KIN[word.replace(/-.*/, '')];
    if (family !== undefined) return family;
  }
  return undefined;
}

const KIN: Readonly<Record<string, Family>> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  rocky: 'fedora',
  almalinux: 'fedora',
  amzn: 'fedora',
  suse: 'suse',
  opensuse: 'suse',
  sles: 'suse',
  arch: 'arch',
  alpine: 'alpine',
};

/** The line that installs what has these programs; a comment where the distribution is not known. */
export function installLine(family: Family | undefined, programs: readonly Program[]): string {
  const wanted = [...new Set(programs)];
  if (family === undefined) return `# install the programs ${wanted.join(', ')}`;
  const names = wanted.map(program => {
    const packages = PACKAGES[program];
    return typeof packages === 'string' ? packages : packages[family];
  });
  return `${INSTALL[family]} ${names.join(' ')}`;
}
