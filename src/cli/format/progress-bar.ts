import type { ProgressEvent } from '../../log.ts';
import { printableLine } from '../printable.ts';
import { humanSize } from './human.ts';

/** States in which a layer has nothing left to do. */
const DONE = /complete$|^Already exists$|^Loaded|^Layer already exists$|^Pushed$|^Mounted from /i;

export const isDone = (event: ProgressEvent): boolean => DONE.test(event.status);

/** One line of at most `width` columns: `f18232174bc9: Downloading [====>    ]  1.2MB/3.6MB`. */
export function barLine(event: ProgressEvent, width: number): string {
  const head = printableLine(event.id === '' ? event.status : `${event.id}: ${event.status}`);
  const tail = amount(event);
  const room = width - head.length - tail.length - 4;
  const bar = event.total && room >= 10 ? ` ${bracketed(event, Math.min(room, 50))} ` : ' ';
  const line = tail === '' ? head : `${head}${bar}${tail}`;
  return line.slice(0, width);
}

function amount({ current, total }: ProgressEvent): string {
  if (current === undefined) return '';
  return total === undefined ? humanSize(current) : `${humanSize(current)}/${humanSize(total)}`;
}

function bracketed({ current = 0, total = 1 }: ProgressEvent, room: number): string {
  const filled = Math.min(room, Math.floor((current / total) * room));
  const head = filled > 0 && filled < room ? `${'='.repeat(filled - 1)}>` : '='.repeat(filled);
  return `[${head.padEnd(room)}]`;
}
