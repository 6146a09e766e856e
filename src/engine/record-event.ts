import type { ContainerRecord } from '../store/container-record.ts';
import { containerAttributes, recordContainerEvent } from '../store/containers-events.ts';
import type { Engine } from './context.ts';

export function containerEvent(
  engine: Engine,
  record: ContainerRecord,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  recordContainerEvent(engine.paths, record, action, more);
}

/** What the supervisor puts behind time and action of `start` and `die`: the rest of a JSON object. */
export const eventTail = (record: ContainerRecord): string =>
  JSON.stringify({ type: 'container', id: record.id, attributes: containerAttributes(record) }).slice(1);
