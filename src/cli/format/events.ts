import type { EventRecord } from '../../index.ts';
import { printableLine } from '../printable.ts';
import type { Value } from './template/values.ts';

/** docker's line: `2024-05-01T12:00:00.123456789Z container start <id> (image=busybox, name=web)`. */
export function eventLine(event: EventRecord): string {
  const attributes = Object.entries(event.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const list = attributes.map(([key, value]) => `${key}=${value}`).join(', ');
  return printableLine(
    `${event.time} ${event.type} ${event.action} ${event.id}${list === '' ? '' : ` (${list})`}`,
  );
}

/** docker's object (Engine API, `GET /events`), its deprecated fields included. */
export function eventObject(event: EventRecord): Record<string, Value> {
  const epoch = Date.parse(event.time);
  return {
    status: event.action,
    id: event.id,
    from: event.attributes.image ?? '',
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: { ...event.attributes } },
    scope: 'local',
    time: Math.floor(epoch / 1000),
    timeNano: epoch * 1_000_000,
  };
}
