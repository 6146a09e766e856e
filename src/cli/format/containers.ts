import type { ContainerSummary } from '../../index.ts';
import { ago, ellipsis, goTime, humanDuration, shortId } from './human.ts';
import type { ListShape, Row } from './list.ts';
import { portsText } from './ports.ts';

/** docker's fields of `ps --format`. */
export const CONTAINER_SHAPE: ListShape = {
  headings: {
    ID: 'CONTAINER ID',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Names: 'NAMES',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
  },
  columns: ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
};

export function containerRow(c: ContainerSummary, options: { now: number; noTrunc: boolean }): Row {
  const { now, noTrunc } = options;
  const mounts = noTrunc ? c.mounts : c.mounts.map(mount => ellipsis(mount, 15));
  return {
    ID: noTrunc ? c.id : shortId(c.id),
    Image: c.image,
    Command: quoted(noTrunc ? c.command : ellipsis(c.command, 20)),
    // A getter: the local time zone takes milliseconds to load, and the table does not show it.
    get CreatedAt() {
      return goTime(c.created);
    },
    RunningFor: ago(c.created, now),
    Ports: portsText(c.ports),
    State: c.status,
    Status: statusText(c, now),
    Names: c.name,
    Labels: Object.entries(c.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: key => c.labels[String(key)] ?? '',
    Mounts: mounts.join(','),
    LocalVolumes: String(c.mounts.filter(mount => !mount.startsWith('/')).length),
    Networks: c.networks.join(','),
  };
}

/** Go's %q of a text, as docker shows a command. */
const quoted = (text: string): string => JSON.stringify(text);

const HEALTH = { starting: 'health: starting', healthy: 'healthy', unhealthy: 'unhealthy' } as const;

/** `Up 3 hours`, `Exited (1) 2 minutes ago`, `Created`. */
export function statusText(c: ContainerSummary, now: number): string {
  if (c.status === 'restarting') return `Restarting (${c.exitCode}) ${ago(c.finishedAt, now)}`;
  if (c.status === 'running' || c.status === 'paused') {
    const note = c.status === 'paused' ? 'Paused' : c.health && HEALTH[c.health];
    const since = c.startedAt === undefined ? now : Date.parse(c.startedAt);
    return `Up ${humanDuration(Math.max(0, now - since))}${note === undefined ? '' : ` (${note})`}`;
  }
  if (c.status === 'exited') return `Exited (${c.exitCode}) ${ago(c.finishedAt, now)}`;
  return c.status === 'created' ? 'Created' : 'Dead';
}
