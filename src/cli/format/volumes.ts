import { TsboxError } from '../../errors.ts';
import type { VolumeSummary } from '../../index.ts';
import type { Api } from '../context.ts';
import type { ListShape, Row } from './list.ts';

/** docker's fields of `volume ls --format`. */
export const VOLUME_SHAPE: ListShape = {
  headings: {
    Driver: 'DRIVER',
    Name: 'VOLUME NAME',
    Mountpoint: 'MOUNTPOINT',
    Scope: 'SCOPE',
    Labels: 'LABELS',
  },
  columns: ['Driver', 'Name'],
};

export function volumeRow(volume: VolumeSummary): Row {
  const labels = Object.entries(volume.labels).map(([key, value]) => `${key}=${value}`);
  return {
    Driver: 'local',
    Name: volume.name,
    Mountpoint: volume.mountpoint,
    Scope: 'local',
    Labels: labels.join(','),
    Label: key => volume.labels[String(key)] ?? '',
  };
}

/** docker's inspect object of a volume. */
export async function inspectVolume(tsbox: Api, name: string): Promise<object> {
  const volume = (await tsbox.volumes()).find(each => each.name === name);
  if (!volume) {
    throw new TsboxError('NOT_FOUND', `no such volume: ${name}`, { hint: "'tsbox volume ls' lists them" });
  }
  return {
    CreatedAt: volume.created,
    Driver: 'local',
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: null,
    Scope: 'local',
  };
}
