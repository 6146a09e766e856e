import type { HostCheck } from '../errors.ts';

/** What doctor can find: the checks that may find it, and one plain sentence. docs/host-setup.md has a row for each. */
export interface Finding {
  readonly checks: readonly string[];
  readonly sentence: string;
}

const found = (checks: string, sentence: string): Finding => ({ checks: checks.split(' '), sentence });

export const FINDINGS: Readonly<Record<HostCheck, Finding>> = {
  'node-old': found('node', 'this Node.js is older than tsbox needs'),
  'kernel-old': found('kernel', 'this kernel is too old for containers of users'),
  'helper-missing': found('helper', 'the program tsbox-helper, which makes the namespaces, is not there'),
  'helper-broken': found(
    'helper',
    'the program tsbox-helper cannot be executed or belongs to another version',
  ),
  'userns-clone': found(
    'userns',
    'a switch of the kernel closes user namespaces to users: no container can run',
  ),
  'userns-limit': found(
    'userns',
    'the number of user namespaces is limited, or used up: no container can run',
  ),
  'userns-apparmor': found(
    'userns mount',
    'AppArmor lets user namespaces be made, but takes every right in them away: no container can run',
  ),
  'userns-kernel': found('userns', 'this kernel is built without user namespaces: no container can run'),
  'userns-seccomp': found(
    'userns',
    'this process is itself in a sandbox or container, whose filter refuses user namespaces: no container can run',
  ),
  'userns-refused': found('userns', 'the kernel refuses user namespaces and does not say why'),
  'mount-refused': found('mount', 'nothing can be mounted in a user namespace: no container can run'),
  'namespaces-missing': found(
    'namespaces',
    'a kind of namespace is not built into this kernel, or is used up',
  ),
  'proc-masked': found('proc', 'an outer container hides parts of /proc, so a new one cannot be mounted'),
  'pivot-refused': found('pivot_root', 'the root of this process cannot be replaced, as in a chroot'),
  'seccomp-missing': found('seccomp', 'this kernel has no filters of system calls'),
  'landlock-missing': found(
    'landlock',
    'this kernel has no Landlock, the second wall that --strict asks for',
  ),
  'subid-missing': found(
    'idmap',
    'the user has no subordinate ids: only root exists in containers, and services with users of their own may fail',
  ),
  'subid-invalid': found('idmap', 'the lines of the user in /etc/subuid or /etc/subgid cannot be used'),
  'mapper-missing': found(
    'idmap',
    'newuidmap and newgidmap, which hand out subordinate ids, are not installed',
  ),
  'mapper-setuid': found('idmap', 'newuidmap or newgidmap is not setuid root, so it cannot hand out ids'),
  'mapper-nosuid': found('idmap', 'newuidmap or newgidmap is on a file system where setuid has no effect'),
  'mapper-privileges': found(
    'idmap',
    'no_new_privs is set on this process, so setuid programs have no effect',
  ),
  'mapper-failed': found('idmap', 'newuidmap or newgidmap refuses the ids'),
  'store-filesystem': found(
    'store overlay',
    'the store is on a file system that cannot hold the changes of a container',
  ),
  'store-space': found('store', 'the disk of the store is full, or nearly'),
  'overlay-kernel': found(
    'kernel overlay',
    'before Linux 5.11 users cannot mount overlayfs: fuse-overlayfs is needed',
  ),
  'overlay-module': found('overlay', "the kernel's overlay module is not loaded"),
  'overlay-refused': found('overlay', 'overlayfs cannot be mounted here: another, slower driver is taken'),
  'fuse-missing': found(
    'fuse fuse-overlayfs',
    'there is no /dev/fuse: keep-id and the image host do not work',
  ),
  'fuse-closed': found(
    'fuse fuse-overlayfs',
    '/dev/fuse is closed to users: keep-id and the image host do not work',
  ),
  'fuse-overlayfs-missing': found(
    'fuse-overlayfs',
    'fuse-overlayfs is not installed: keep-id and the image host do not work',
  ),
  'fuse-overlayfs-failed': found('fuse-overlayfs', 'fuse-overlayfs is there and does not work'),
  'tun-missing': found('tun slirp4netns pasta', 'there is no /dev/net/tun: containers have no network'),
  'tun-closed': found('tun slirp4netns pasta', '/dev/net/tun is closed to users: containers have no network'),
  'slirp4netns-missing': found('slirp4netns', 'slirp4netns, the network of containers, is not installed'),
  'slirp4netns-old': found('slirp4netns', 'this slirp4netns has known memory errors'),
  'pasta-missing': found('pasta', 'pasta, the other network program, is not installed'),
  'uplink-failed': found('uplink', 'the network program ends or does not answer'),
  'filter-missing': found(
    'filter',
    'neither nft nor iptables is there: networks of your own have no way out',
  ),
  'ports-low': found('ports', "low ports are root's: they cannot be published"),
  'cgroup-v1': found(
    'cgroup',
    'the control groups of this machine are of version 1: containers have no limits',
  ),
  'cgroup-unmounted': found('cgroup', 'no control groups are mounted: containers have no limits'),
  'cgroup-manager': found('cgroup', "the user's own systemd cannot be reached: containers have no limits"),
  'cgroup-foreign': found('cgroup', 'no control group belongs to the user: containers have no limits'),
  'cgroup-controllers': found(
    'cgroup',
    'some controllers are not delegated to the user: their limits are refused',
  ),
  'cgroup-refused': found('cgroup', 'the kernel or systemd refuses a control group'),
  'linger-off': found('linger', 'systemd may end detached containers when the user logs out'),
};

export const isFinding = (name: string): name is HostCheck => Object.hasOwn(FINDINGS, name);
