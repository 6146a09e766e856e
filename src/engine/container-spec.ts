import type { UsernsMaps } from '../host/idmap.ts';
import {
  ANNOTATION,
  type IdMapping,
  type Mount,
  type NamespaceType,
  type Spec,
} from '../oci/runtime-spec.ts';
import type { IdMapLine } from '../plan/ops.ts';
import { capabilityNames, resolveCapabilities } from '../runtime/capabilities.ts';
import {
  DEFAULT_RLIMITS,
  HOST_SYS_MASKED_PATHS,
  MASKED_PATHS,
  READONLY_PATHS,
} from '../runtime/hardening.ts';
import type { ContainerRecord, MountRecord, NamespaceRecord } from '../store/container-record.ts';
import { isolationAnnotations } from './isolation.ts';
import { isPropagation } from './mount-values.ts';

export interface SpecInput {
  readonly record: ContainerRecord;
  readonly maps: UsernsMaps;
  /** Root file system, from the storage driver. */
  readonly rootPath: string;
  readonly netns: 'new' | 'host';
  /** Rows and columns of the caller's terminal. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
}

/** The OCI runtime spec of a container: what an OCI runtime would be given for it. Pure. */
export function containerSpec(input: SpecInput): Spec {
  const { record, maps } = input;
  return {
    ociVersion: '1.1.0',
    process: processSpec(input),
    root: { path: input.rootPath, readonly: record.readOnly },
    // Only who has a uts namespace of one's own may set it.
    ...(record.namespaces?.uts !== 'host' && { hostname: record.hostname }),
    ...(record.domainname && { domainname: record.domainname }),
    mounts: [...kernelMounts(input), ...fileMounts(record), ...sortedUserMounts(record.mounts)],
    linux: {
      namespaces: namespaces(input.netns, record.namespaces),
      uidMappings: maps.uid.map(mapping),
      gidMappings: maps.gid.map(mapping),
      ...(record.devices && { devices: record.devices.map(d => ({ path: d.target, hostPath: d.source })) }),
      sysctl: record.sysctls,
      maskedPaths: isOpen(record) ? [] : maskedPaths(input.netns),
      readonlyPaths: isOpen(record) ? [] : READONLY_PATHS,
    },
    annotations: {
      ...record.annotations,
      [ANNOTATION.user]: record.process.user,
      [ANNOTATION.init]: String(record.process.init),
      [ANNOTATION.rootEmulation]: String(record.rootEmulation),
      ...isolationAnnotations(record),
    },
  };
}

function processSpec({ record, consoleSize }: SpecInput): Spec['process'] {
  const p = record.process;
  const caps = capabilityNames(
    resolveCapabilities({ add: record.capAdd, drop: record.capDrop, privileged: record.privileged }),
  );
  return {
    terminal: p.tty,
    ...(consoleSize && { consoleSize }),
    user: { uid: 0, gid: 0 },
    args: p.args,
    env: p.env,
    cwd: p.cwd,
    capabilities: { bounding: caps, effective: caps, permitted: caps, inheritable: [], ambient: [] },
    rlimits: rlimits(record),
    noNewPrivileges: record.noNewPrivileges,
    ...(record.oomScoreAdj !== undefined && { oomScoreAdj: record.oomScoreAdj }),
  };
}

/** --ulimit over the defaults. */
function rlimits(record: ContainerRecord) {
  const limits = new Map([...DEFAULT_RLIMITS, ...record.ulimits].map(limit => [limit.name, limit]));
  return [...limits.values()].map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft,
    hard,
  }));
}

const isOpen = (record: ContainerRecord): boolean => record.privileged || record.systemPaths === 'unconfined';

/** The host's own sysfs, bound for --network host, shows more than one of our own does. */
const maskedPaths = (netns: 'new' | 'host'): readonly string[] =>
  netns === 'host' ? [...MASKED_PATHS, ...HOST_SYS_MASKED_PATHS] : MASKED_PATHS;

/** Docker's set; each type is a namespace of its own unless it is the host's. */
export function namespaces(netns: 'new' | 'host', shared: NamespaceRecord = {}): { type: NamespaceType }[] {
  const types: NamespaceType[] = ['user', 'mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'];
  const hosts: Partial<Record<NamespaceType, string | undefined>> = { ...shared, network: netns };
  return types.filter(type => hosts[type] !== 'host').map(type => ({ type }));
}

function kernelMounts({ record, maps, netns }: SpecInput): Mount[] {
  const wide = record.privileged ? [] : ['ro'];
  // The tty group only where the map knows it: the kernel refuses an unmapped gid with EINVAL.
  const ttyGroup = maps.gid.some(l => l.inside <= 5 && 5 < l.inside + l.count) ? ['gid=5'] : [];
  return [
    procMount(record),
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...ttyGroup],
    },
    ...ipcMounts(record),
    ...sysMounts(netns, wide),
  ];
}

/** A new procfs needs a pid namespace of one's own; with the host's, the host's is bound. */
function procMount({ namespaces: shared }: ContainerRecord): Mount {
  const options = ['nosuid', 'noexec', 'nodev'];
  return shared?.pid === 'host'
    ? { destination: '/proc', type: 'none', source: '/proc', options: ['rbind', 'rprivate', ...options] }
    : { destination: '/proc', type: 'proc', source: 'proc', options };
}

/** Shared memory and message queues: the container's own, the host's, or (docker's `--ipc none`) no shared memory. */
function ipcMounts({ namespaces: shared, shmSize }: ContainerRecord): Mount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  if (shared?.ipc === 'host') {
    const bound = (path: string, more: readonly string[]): Mount => ({
      destination: path,
      type: 'none',
      source: path,
      options: ['rbind', 'rprivate', ...safe, ...more],
    });
    return [bound('/dev/shm', []), bound('/dev/mqueue', ['optional'])];
  }
  const shm = {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: [...safe, 'mode=1777', `size=${shmSize}`],
  };
  const queues = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe };
  // Of another container: the plan brings its /dev/shm (network-place.ts).
  const bare = shared?.ipc === 'none' || shared?.ipc?.startsWith('container:');
  return bare ? [queues] : [shm, queues];
}

/** A new sysfs needs a network namespace of one's own; with the host's, the host's sysfs is bound read-only. */
function sysMounts(netns: 'new' | 'host', wide: readonly string[]): Mount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  if (netns === 'host')
    return [
      { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...safe, 'ro', 'rprivate'] },
    ];
  return [
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, ...wide] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup2',
      source: 'cgroup',
      options: [...safe, 'relatime', ...wide, 'optional'],
    },
  ];
}

/** The files that we make, bound over whatever the image has under those names, links included. */
const ETC_FILES = ['hosts', 'hostname', 'resolv.conf'] as const;

function fileMounts(record: ContainerRecord): Mount[] {
  const taken = new Set(record.mounts.map(m => m.target));
  return ETC_FILES.filter(name => !taken.has(`/etc/${name}`)).map(name => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: `containers/${record.id}/${name}`,
    options: ['bind', 'nosuid', 'nodev', ...(record.readOnly ? ['ro'] : [])],
  }));
}

/** Parents before children, whatever order the user gave them in. */
function sortedUserMounts(mounts: readonly MountRecord[]): Mount[] {
  const depth = (path: string): number => path.split('/').filter(Boolean).length;
  return [...mounts].sort((a, b) => depth(a.target) - depth(b.target)).map(userMount);
}

function userMount(m: MountRecord): Mount {
  if (m.type === 'tmpfs') {
    const options = m.options.length > 0 ? m.options : ['mode=1777'];
    return {
      destination: m.target,
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'noexec', ...options],
    };
  }
  const source = m.type === 'volume' ? `volumes/${m.source}/_data` : m.source;
  const words = m.options.filter(o => !ENGINE_OPTIONS.has(o));
  const alone = words.includes('bind');
  const named = words.some(isPropagation);
  return {
    destination: m.target,
    type: 'bind',
    source,
    options: [
      alone ? 'bind' : 'rbind',
      ...(named ? [] : [alone ? 'private' : 'rprivate']),
      ...words.filter(o => o !== 'bind'),
      ...(m.readOnly ? ['ro'] : []),
    ],
  };
}

/** For who fills a new volume or gives it to the container's user; no mount knows them. */
const ENGINE_OPTIONS = new Set(['nocopy', 'U']);

const mapping = (l: IdMapLine): IdMapping => ({ containerID: l.inside, hostID: l.outside, size: l.count });
