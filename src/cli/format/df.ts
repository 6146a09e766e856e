import type { DiskUsage } from '../../index.ts';
import { containerRow } from './containers.ts';
import { humanSize } from './human.ts';
import { imageRows } from './images.ts';
import type { ListShape, Row } from './list.ts';

/** docker's `system df`. */
export const USAGE_SHAPE: ListShape = {
  headings: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
};

const UP = ['running', 'paused', 'restarting'];
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

export function usageRows(usage: DiskUsage): Row[] {
  const { images, containers, volumes, blobs } = usage;
  const idle = containers.filter(({ status }) => !UP.includes(status));
  const active = images.filter(image => image.containers > 0).length;
  return [
    row('Images', [images.length, active], usage.layers, usage.layersReclaimable),
    row(
      'Containers',
      [containers.length, containers.length - idle.length],
      sum(containers.map(c => c.size)),
      sum(idle.map(c => c.size)),
    ),
    row(
      'Local Volumes',
      [volumes.length, volumes.filter(v => v.links > 0).length],
      sum(volumes.map(v => v.size)),
      sum(volumes.filter(v => v.links === 0).map(v => v.size)),
    ),
    row('Blobs', [blobs.count, blobs.active], blobs.size, blobs.reclaimable),
  ];
}

function row(
  type: string,
  [total, active]: readonly [number, number],
  size: number,
  reclaimable: number,
): Row {
  const percent = size > 0 ? ` (${Math.floor((reclaimable * 100) / size)}%)` : '';
  return {
    Type: type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size, 4),
    Reclaimable: `${humanSize(reclaimable, 4)}${percent}`,
  };
}

/** One table of `system df -v`. */
export interface UsageTable {
  /** Its name in a template. */
  readonly name: string;
  readonly title: string;
  readonly shape: ListShape;
  readonly rows: readonly Row[];
}

const IMAGES: ListShape = {
  headings: {
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    ID: 'IMAGE ID',
    CreatedSince: 'CREATED',
    Size: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
    Containers: 'CONTAINERS',
  },
  columns: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
};

const CONTAINERS: ListShape = {
  headings: {
    ID: 'CONTAINER ID',
    Image: 'IMAGE',
    Command: 'COMMAND',
    LocalVolumes: 'LOCAL VOLUMES',
    Size: 'SIZE',
    RunningFor: 'CREATED',
    Status: 'STATUS',
    Names: 'NAMES',
  },
  columns: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
};

const VOLUMES: ListShape = {
  headings: { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' },
  columns: ['Name', 'Links', 'Size'],
};

export function usageTables(usage: DiskUsage, options: { now: number; noTrunc: boolean }): UsageTable[] {
  const images = usage.images.flatMap(image =>
    imageRows(image, options).map(each => ({
      ...each,
      Size: humanSize(image.size),
      SharedSize: humanSize(image.sharedSize, 4),
      UniqueSize: humanSize(image.uniqueSize, 4),
      Containers: String(image.containers),
    })),
  );
  const containers = usage.containers.map(c => ({ ...containerRow(c, options), Size: humanSize(c.size) }));
  const volumes = usage.volumes.map(v => ({
    Name: v.name,
    Links: String(v.links),
    Size: humanSize(v.size, 4),
  }));
  return [
    { name: 'Images', title: 'Images space usage:', shape: IMAGES, rows: images },
    { name: 'Containers', title: 'Containers space usage:', shape: CONTAINERS, rows: containers },
    { name: 'Volumes', title: 'Local Volumes space usage:', shape: VOLUMES, rows: volumes },
  ];
}
