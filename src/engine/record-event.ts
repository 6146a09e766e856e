import type { ContainerRecord } from '../store/container-record.ts';
import { recordEvent } from '../store/events.ts';
import type { Engine } from './context.ts';

/** docker's attributes of a container's events: its labels, its image and its name. */
export const containerAttributes = (record: ContainerRecord): Record<string, string> => ({
  ...record.labels,
  image: record.image.reference,
  name: record.name,
});

export function containerEvent(
  engine: Engine,
  record: ContainerRecord,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  recordEvent(engine.paths, {
    type: 'container',
    action,
    id: record.id,
    attributes: { ...containerAttributes(record), ...more },
  });
}

/** What the supervisor puts behind time and action of `start` and `die`: the rest of a JSON object. */
export const eventTail = (record: ContainerRecord): string =>
  JSON.stringify({ type: 'container', id: record.id, attributes: containerAttributes(record) }).slice(1);
