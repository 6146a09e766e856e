import type { ContainerRecord, DeviceRecord, MountRecord } from '../store/container-record.ts';
import { orNull } from './inspect-config.ts';
import { portBindings } from './inspect-network.ts';

/** `HostConfig` of docker's inspect: what ties the container to this machine. */
export function hostConfigOf(record: ContainerRecord): Record<string, unknown> {
  return {
    Binds: orNull(record.mounts.filter(m => m.type !== 'tmpfs' && !m.anonymous).map(bindText)),
    ContainerIDFile: '',
    LogConfig: { Type: record.log?.driver ?? 'json-file', Config: record.log?.options ?? {} },
    NetworkMode: record.network.driver,
    PortBindings: portBindings(record.network.ports),
    RestartPolicy: {
      Name: record.restart?.name ?? 'no',
      MaximumRetryCount: record.restart?.maximumRetryCount ?? 0,
    },
    AutoRemove: record.autoRemove,
    Annotations: record.annotations ?? {},
    CapAdd: orNull(record.capAdd),
    CapDrop: orNull(record.capDrop),
    CgroupnsMode: 'private',
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
