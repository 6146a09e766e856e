import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './context.ts';
import { percentOfLife, percentSince, type Sample } from './stats-sample.ts';

/** `<runtime>/stats.json`: what the last looks of `stats --no-stream` saw, so that the next one need not wait for a second one. */
interface LastFile {
  readonly version: 1;
  /** By container id. */
  readonly looks: Readonly<Record<string, Look>>;
}

interface Look extends Pick<Sample, 'start' | 'at' | 'microseconds'> {
  readonly percent: number;
}

/** Seconds. Within that, two looks would divide the ticks of /proc by too little: the former result is shown again. */
const FRESH = 0.5;
/** Seconds. What was used since then says nothing of now. */
const STALE = 60;

/**
 * Processor percents at one look: since the last look, if that was half a second to a minute ago; else since the container began. Remembers
 * this look. A file that cannot be read or written counts as none.
 */
export function percentsNow(engine: Engine, samples: readonly Sample[]): number[] {
  const path = join(engine.paths.runtime, 'stats.json');
  const old = readLooks(path);
  const looks = samples.map(now => lookOf(old[now.id], now));
  const latest = Math.max(0, ...samples.map(now => now.at));
  const kept = Object.entries(old).filter(([, look]) => look.at <= latest && latest - look.at < STALE);
  const mine = samples.map((now, i) => [now.id, looks[i]]).filter(([, look]) => look !== undefined);
  writeLooks(path, { version: 1, looks: Object.fromEntries([...kept, ...mine]) });
  return looks.map(look => look.percent);
}

function lookOf(old: Look | undefined, now: Sample): Look {
  const { start, at, microseconds } = now;
  const age = old?.start === start ? at - old.at : -1;
  if (old && age >= 0 && age < FRESH) return old;
  const percent = age >= FRESH && age < STALE ? percentSince(old, now) : percentOfLife(now);
  return { start, at, microseconds, percent };
}

function readLooks(path: string): Readonly<Record<string, Look>> {
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<LastFile> | null;
    return (file?.version === 1 && file.looks) || {};
  } catch {
    return {};
  }
}

function writeLooks(path: string, file: LastFile): void {
  const mine = `${path}.${process.pid}`;
  try {
    writeFileSync(mine, JSON.stringify(file), { mode: 0o600 });
    renameSync(mine, path);
  } catch {
    rmSync(mine, { force: true }); // a full disk: the next look is since the container began
  }
}
