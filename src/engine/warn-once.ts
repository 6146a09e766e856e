import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../host/probe.ts';
import type { Engine } from './context.ts';

/**
 * Warns of something about the machine that does not change from one command to the next: once per boot, because a line
 * that comes every time is a line nobody reads. `tsbox doctor` says it every time.
 */
export function warnOncePerBoot(engine: Engine, text: string): void {
  const file = join(engine.paths.runtime, 'warned');
  // What follows the semicolon is advice, which may be worded with other numbers each time.
  const line = JSON.stringify([bootId(), text.split(';')[0]]);
  if (linesOf(file).includes(line)) return;
  engine.reporter.warn(text);
  try {
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  } catch {
    // Then it is said again.
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
