import type { MachineFacts } from './doctor-facts.ts';
import { asRoot, type Remedies, type Remedy, sysctl } from './doctor-remedy.ts';

export const DEVICE_REMEDIES: Remedies<
  'overlay-module' | 'fuse-missing' | 'fuse-closed' | 'tun-missing' | 'tun-closed' | 'ports-low'
> = {
  'overlay-module': () => asRoot(...loadModule('overlay')),
  'fuse-missing': facts => makeNode(facts, FUSE),
  'fuse-closed': facts => openNode(facts, FUSE),
  'tun-missing': facts => makeNode(facts, TUN),
  'tun-closed': facts => openNode(facts, TUN),
  'ports-low': () => ({
    ...sysctl('net.ipv4.ip_unprivileged_port_start = 80'),
    hint: 'publish a higher port: -p 8080:80',
  }),
};

interface Node {
  readonly module: string;
  readonly path: string;
  readonly kernelName: string;
  /** Major and minor number, Documentation/admin-guide/devices.txt. */
  readonly numbers: string;
}

const FUSE: Node = { module: 'fuse', path: '/dev/fuse', kernelName: 'fuse', numbers: '10 229' };
const TUN: Node = { module: 'tun', path: '/dev/net/tun', kernelName: 'tun', numbers: '10 200' };

/** Now, and after the next boot. */
const loadModule = (name: string): string[] => [
  `modprobe ${name}`,
  `mkdir -p /etc/modules-load.d && echo ${name} > /etc/modules-load.d/${name}.conf`,
];

function makeNode(facts: MachineFacts, node: Node): Remedy {
  const directory = node.path.slice(0, node.path.lastIndexOf('/'));
  return asRoot(
    ...loadModule(node.module),
    `[ -e ${node.path} ] || { mkdir -p ${directory} && mknod -m 0666 ${node.path} c ${node.numbers}; }`,
    ...open(facts, node),
  );
}

const openNode = (facts: MachineFacts, node: Node): Remedy => asRoot(...open(facts, node));

/** Every distribution has them 0666: what can be done with them is checked when it is done. */
function open({ udev }: MachineFacts, { module, path, kernelName }: Node): string[] {
  const rule = `KERNEL=="${kernelName}", MODE="0666"`;
  const kept = `mkdir -p /etc/udev/rules.d && echo '${rule}' > /etc/udev/rules.d/60-tsbox-${module}.rules`;
  return [`chmod 0666 ${path}`, ...(udev ? [kept] : [])];
}
