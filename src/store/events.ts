import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../host/paths.ts';

/**
 * `events.log` in the store: what happened, one JSON object a line, appended with one write(2) by whoever did it; `start`
 * and `die` by the supervisor. At 1 MiB it becomes `events.log.1`, and what was there is gone. Nothing depends on it: an
 * event that cannot be written is lost.
 */
export interface EventRecord {
  /** RFC 3339, UTC, up to nanoseconds. */
  readonly time: string;
  /** What it happened to. */
  readonly type: 'container' | 'image' | 'volume' | 'network';
  /** docker's words: create, start, die, destroy, pull, tag … */
  readonly action: string;
  /** Container id, image id or volume name. */
  readonly id: string;
  /** Name, image, labels, exit status …: docker's `Actor.Attributes`. */
  readonly attributes: Readonly<Record<string, string>>;
}

const MAX = 1 << 20;

/** Also as the helper names it, relative to the store. */
export const EVENTS_FILE = 'events.log';
export const eventsPath = (paths: Paths): string => join(paths.root, EVENTS_FILE);
export const oldEventsPath = (paths: Paths): string => `${eventsPath(paths)}.1`;

/** Appends one event. Never throws. */
export function recordEvent(paths: Paths, event: Omit<EventRecord, 'time'>): void {
  const path = eventsPath(paths);
  try {
    const fd = openSync(path, 'a', 0o600);
    try {
      writeSync(fd, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
      const { size, ino } = fstatSync(fd);
      // Somebody else may have put it aside meanwhile.
      if (size > MAX && statSync(path).ino === ino) renameSync(path, oldEventsPath(paths));
    } finally {
      closeSync(fd);
    }
  } catch {
    // A full disk or a read-only store: the work itself counts.
  }
}

/** Undefined for what is no event: the torn last write of a machine that lost power. */
export function parseEvent(line: string): EventRecord | undefined {
  try {
    const { time, type, action, id, attributes, exitCode } = JSON.parse(line) as EventRecord & {
      exitCode?: number;
    };
    if (Number.isNaN(Date.parse(time)) || typeof action !== 'string' || typeof id !== 'string')
      return undefined;
    const more = exitCode === undefined ? {} : { exitCode: String(exitCode) };
    return { time, type, action, id, attributes: { ...attributes, ...more } };
  } catch {
    return undefined;
  }
}
