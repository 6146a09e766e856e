import type { ContainerRecord } from '../store/container-record.ts';
import { containerAttributes, recordContainerEvent } from '../store/containers-events.ts';
import { recordEvent } from '../store/events.ts';
import type { Engine } from './context.ts';

export function containerEvent(
  engine: Engine,
  record: ContainerRecord,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  recordContainerEvent(engine.paths, record, action, more);
}

/** docker's events of images: pull, push, load, import, save, tag, untag, delete. `id`: the image's, or the reference that was moved. */
export function imageEvent(engine: Engine, action: string, id: string, name = id): void {
  recordEvent(engine.paths, { type: 'image', action, id, attributes: { name } });
}

/** create and destroy. docker's `mount` and `unmount` are those of the container's start and end. */
export function volumeEvent(engine: Engine, action: string, name: string): void {
  recordEvent(engine.paths, { type: 'volume', action, id: name, attributes: { driver: 'local' } });
}

/** What the supervisor puts behind time and action of `start` and `die`: the rest of a JSON object. */
export const eventTail = (record: ContainerRecord): string =>
  JSON.stringify({ type: 'container', id: record.id, attributes: containerAttributes(record) }).slice(1);
