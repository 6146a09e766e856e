import type { MachineFacts } from '../../src/engine/doctor-facts.ts';

/** A Debian machine with systemd, on which user alice lacks everything that an administrator can give. */
export const BARE: MachineFacts = {
  host: 'build7',
  uid: 1000,
  user: 'alice',
  local: true,
  usermod: true,
  family: 'debian',
  helper: '/opt/tsbox/tsbox-helper',
  profile: undefined,
  maxNamespaces: 0,
  subids: { uid: true, gid: true, free: { start: 165_536, count: 65_536 }, directory: false },
  mappers: ['/usr/bin/newuidmap', '/usr/bin/newgidmap'],
  nosuid: '/usr',
  udev: true,
  systemd: true,
  bootTool: 'update-grub',
  cgroup: {
    layout: 'v2',
    mount: '/sys/fs/cgroup',
    own: '/sys/fs/cgroup/init.scope',
    controllers: [],
    delegated: false,
    userBus: undefined,
    systemd: true,
  },
  delegation: '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service',
  driver: 'systemd',
  lacking: ['cpuset', 'io'],
  parent: 4711,
};
