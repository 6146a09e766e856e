import { join } from 'node:path';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerDirectory } from '../store/containers.ts';
import { readHealth } from '../store/containers-health.ts';
import { readRestart } from '../store/containers-restart.ts';
import { volumeData } from '../store/volumes.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { readGroupFile } from './group-file.ts';
import { configOf } from './inspect-config.ts';
import { hostConfigOf } from './inspect-host-config.ts';
import { kernelView } from './inspect-kernel.ts';
import { networkSettingsOf } from './inspect-network.ts';
import { shownStatus } from './ps-status.ts';

/** How docker writes "never" (Go's zero time). */
const NEVER = '0001-01-01T00:00:00Z';

/**
 * Docker's inspect object of a container (Engine API, `GET /containers/{id}/json`), with one key more: `Tsbox` holds what the
 * kernel says about it. Throws NOT_FOUND, USAGE, STORE_CORRUPT, STORE_VERSION or IO.
 */
export async function inspectContainer(engine: Engine, nameOrId: string): Promise<Record<string, unknown>> {
  const { record, state } = await find(engine, nameOrId);
  const file = (name: string): string => join(containerDirectory(engine.paths, record.id), name);
  const [path = '', ...args] = record.process.args;
  return {
    Id: record.id,
    Created: record.created,
    Path: path,
    Args: args,
    State: stateOf(engine, record, state),
    Image: record.image.id,
    ResolvConfPath: file('resolv.conf'),
    HostnamePath: file('hostname'),
    HostsPath: file('hosts'),
    LogPath: file('log'),
    Name: `/${record.name}`,
    RestartCount: (await readRestart(engine.paths, record.id)).count,
    Driver: record.storage.driver,
    Platform: record.platform.split('/')[0] ?? 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfigOf(record),
    GraphDriver: {
      Name: record.storage.driver,
      Data: { UpperDir: file('upper'), MergedDir: file('merged') },
    },
    Mounts: record.mounts.filter(mount => mount.type !== 'tmpfs').map(mount => mountOf(engine, mount)),
    Config: configOf(record),
    NetworkSettings: networkSettingsOf(engine, record, state),
    Tsbox: {
      StorageDriver: record.storage.driver,
      UsernsMode: record.userns.mode,
      RootEmulation: record.rootEmulation,
      SupervisorPid: state.status === 'running' ? state.supervisor : 0,
      ...groupView(engine, record, state),
      ...kernelView(state),
    },
  };
}

/** The control group of one that runs, and what became of each limit at its start or the last `update`. */
function groupView(engine: Engine, { id }: ContainerRecord, state: ContainerState): Record<string, unknown> {
  const group = state.status === 'running' ? readGroupFile(engine, id) : undefined;
  return {
    CgroupDriver: group?.driver ?? 'none',
    CgroupPath: group?.path ?? '',
    Limits: (group?.limits ?? []).map(({ flag, status, detail }) => ({
      Flag: flag,
      Status: status,
      Detail: detail,
    })),
  };
}

function stateOf(engine: Engine, record: ContainerRecord, state: ContainerState): Record<string, unknown> {
  return {
    Status: shownStatus(state),
    Running: state.status === 'running',
    Paused: state.paused,
    Restarting: state.restarting,
    OOMKilled: state.oom,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error ?? '',
    StartedAt: state.startedAt ?? NEVER,
    FinishedAt: state.finishedAt ?? NEVER,
    ...(record.healthcheck && { Health: healthOf(engine, record, state) }),
  };
}

function healthOf(engine: Engine, record: ContainerRecord, state: ContainerState): Record<string, unknown> {
  const { status, failingStreak, log } = readHealth(engine.paths, record.id, state.start);
  return { Status: status, FailingStreak: failingStreak, Log: log };
}

function mountOf(engine: Engine, mount: ContainerRecord['mounts'][number]): Record<string, unknown> {
  const named = mount.type === 'volume';
  return {
    Type: mount.type,
    ...(named && { Name: mount.source }),
    Source: named ? volumeData(engine.paths, mount.source) : mount.source,
    Destination: mount.target,
    ...(named && { Driver: 'local' }),
    Mode: mount.options.join(','),
    RW: !mount.readOnly,
    Propagation: mount.options.find(option => /^r?(private|slave|shared)$/.test(option)) ?? 'rprivate',
  };
}

/** docker's inspect object of an image. */
export async function inspectImage(engine: Engine, reference: string): Promise<Record<string, unknown>> {
  return (await import('./inspect-image.ts')).inspectImage(engine, reference);
}
