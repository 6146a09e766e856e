import type { Paths } from '../host/paths.ts';
import type { ContainerRecord } from './container-record.ts';
import { recordEvent } from './events.ts';

/** docker's attributes of a container's events: its labels, its image and its name. */
export const containerAttributes = (record: ContainerRecord): Record<string, string> => ({
  ...record.labels,
  image: record.image.reference,
  name: record.name,
});

/** Never throws. */
export function recordContainerEvent(
  paths: Paths,
  record: ContainerRecord,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const attributes = { ...containerAttributes(record), ...more };
  recordEvent(paths, { type: 'container', action, id: record.id, attributes });
}
