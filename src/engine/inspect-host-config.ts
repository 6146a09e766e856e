import type { ContainerRecord, DeviceRecord, MountRecord } from '../store/container-record.ts';
import { orNull } from './inspect-config.ts';
import { portBindings } from './inspect-network.ts';

/** `HostConfig` of docker's inspect: what ties the container to this machine. */
export function hostConfigOf(record: ContainerRecord): Record<string, unknown> {
  return {
    Binds: orNull(record.mounts.filter(m => m.type !== 'tmpfs' && !m.anonymous).map(bindText)),
    ContainerIDFile: '',
    LogConfig: { Type: record.log?.driver ?? 'json-file', Config: record.log?.options ?? {} },
    NetworkMode: networkMode(record),
    PortBindings: portBindings(record.network.ports),
    RestartPolicy: {
      Name: record.restart?.name ?? 'no',
      MaximumRetryCount: record.restart?.maximumRetryCount ?? 0,
    },
    AutoRemove: record.autoRemove,
    Annotations: record.annotations ?? {},
    CapAdd: orNull(record.capAdd),
    CapDrop: orNull(record.capDrop),
    CgroupnsMode: record.namespaces?.cgroup ?? 'private',
    ...limitsOf(record),
    Devices: (record.devices ?? []).map(deviceOf),
    Dns: record.dns,
    DnsOptions: record.dnsOptions ?? [],
    DnsSearch: record.dnsSearch ?? [],
    ExtraHosts: orNull(record.addHost),
    GroupAdd: orNull(record.groupAdd ?? []),
    IpcMode: record.namespaces?.ipc ?? 'private',
    OomScoreAdj: record.oomScoreAdj ?? 0,
    PidMode: record.namespaces?.pid ?? '',
    Privileged: record.privileged,
    PublishAllPorts: record.publishAll ?? false,
    ReadonlyRootfs: record.readOnly,
    SecurityOpt: orNull(securityOptions(record)),
    Tmpfs: tmpfs(record.mounts),
    UTSMode: record.namespaces?.uts ?? '',
    UsernsMode: usernsText(record.userns),
    ShmSize: record.shmSize,
    Sysctls: record.sysctls,
    Runtime: 'tsbox',
    Init: record.process.init,
    Ulimits: record.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
  };
}

/** The first network by its name; `container:ID`. */
function networkMode({ network }: ContainerRecord): string {
  if (network.container !== undefined) return `container:${network.container}`;
  return network.networks?.[0]?.network ?? network.driver;
}

/** docker's names; 0 and empty: no limit. */
function limitsOf({ limits }: ContainerRecord): Record<string, unknown> {
  const r = limits?.resources ?? {};
  const device = (flag: string): Record<string, unknown>[] =>
    (r.devices ?? []).filter(d => d.flag === flag).map(d => ({ Path: d.path, Rate: d.value }));
  return {
    CgroupParent: limits?.parent ?? '',
    Memory: r.memory ?? 0,
    MemoryReservation: r.memoryReservation ?? 0,
    MemorySwap: r.memorySwap || (r.memory ?? 0) * 2,
    MemorySwappiness: null,
    OomKillDisable: null,
    NanoCpus: r.nanoCpus ?? 0,
    CpuPeriod: r.cpuPeriod ?? 0,
    CpuQuota: r.cpuQuota ?? 0,
    CpuShares: r.cpuShares ?? 0,
    CpuWeight: r.cpuWeight ?? 0,
    CpusetCpus: r.cpusetCpus ?? '',
    CpusetMems: r.cpusetMems ?? '',
    PidsLimit: r.pidsLimit || null,
    BlkioWeight: r.blkioWeight ?? 0,
    BlkioWeightDevice: device('--blkio-weight-device').map(({ Path, Rate }) => ({ Path, Weight: Rate })),
    BlkioDeviceReadBps: device('--device-read-bps'),
    BlkioDeviceWriteBps: device('--device-write-bps'),
    BlkioDeviceReadIOps: device('--device-read-iops'),
    BlkioDeviceWriteIOps: device('--device-write-iops'),
  };
}

const deviceOf = ({ source, target, permissions }: DeviceRecord) => ({
  PathOnHost: source,
  PathInContainer: target,
  CgroupPermissions: permissions,
});

/** As it was given to --userns. */
function usernsText({ mode, uid, gid }: ContainerRecord['userns']): string {
  const ids = [...(uid === undefined ? [] : [`uid=${uid}`]), ...(gid === undefined ? [] : [`gid=${gid}`])];
  return ids.length > 0 ? `${mode}:${ids.join(',')}` : mode;
}

/** As it was given to -v. */
function bindText(mount: MountRecord): string {
  const options = [...(mount.readOnly ? ['ro'] : []), ...mount.options];
  return [mount.source, mount.target, ...(options.length > 0 ? [options.join(',')] : [])].join(':');
}

/** Docker shows the text of a profile; here its name does, the text would be thousands of lines. */
function securityOptions(record: ContainerRecord): string[] {
  const { seccomp } = record;
  const profile = seccomp === 'default' || seccomp === 'unconfined' ? seccomp : 'custom';
  return [
    ...(record.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(profile === 'default' ? [] : [`seccomp=${profile}`]),
    ...(record.nestedUserns ? ['userns=allow'] : []),
    ...(record.systemPaths ? [`systempaths=${record.systemPaths}`] : []),
  ];
}

function tmpfs(mounts: readonly MountRecord[]): Record<string, string> {
  const found = mounts.filter(m => m.type === 'tmpfs');
  return Object.fromEntries(found.map(m => [m.target, m.options.join(',')]));
}
