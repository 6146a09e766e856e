import type { Pruned } from '../../index.ts';
import { printableLine } from '../printable.ts';
import { humanSize } from './human.ts';

/** docker's report of one kind: a heading, the objects, an empty line; nothing when there were none. */
export function prunedText(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${[heading, ...lines.map(printableLine)].join('\n')}\n\n`;
}

export const prunedImages = ({ untagged, deleted }: Pruned): string[] => [
  ...untagged.map(name => `untagged: ${name}`),
  ...deleted.map(id => `deleted: ${id}`),
];

export const reclaimedText = (bytes: number): string => `Total reclaimed space: ${humanSize(bytes, 4)}\n`;
