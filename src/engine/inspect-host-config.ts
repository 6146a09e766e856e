import type { ContainerRecord, MountRecord } from '../store/container-record.ts';
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
    CapAdd: orNull(record.capAdd),
    CapDrop: orNull(record.capDrop),
    CgroupnsMode: 'private',
    Dns: record.dns,
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: orNull(record.addHost),
    GroupAdd: null,
    IpcMode: 'private',
    OomScoreAdj: record.oomScoreAdj ?? 0,
    PidMode: '',
    Privileged: record.privileged,
    PublishAllPorts: false,
    ReadonlyRootfs: record.readOnly,
    SecurityOpt: orNull(securityOptions(record)),
    Tmpfs: tmpfs(record.mounts),
    UTSMode: '',
    UsernsMode: record.userns.mode,
    ShmSize: record.shmSize,
    Sysctls: record.sysctls,
    Runtime: 'tsbox',
    Init: record.process.init,
    Ulimits: record.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
  };
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
  ];
}

function tmpfs(mounts: readonly MountRecord[]): Record<string, string> {
  const found = mounts.filter(m => m.type === 'tmpfs');
  return Object.fromEntries(found.map(m => [m.target, m.options.join(',')]));
}
